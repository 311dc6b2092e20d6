//! Draws the ready pods over time, without and with the guard, from what the node test measured
//! (`make picture-guard`, docs/guard.svg).

mod chart;

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(file) = std::env::args_os().nth(1) else {
        eprintln!("error: it is not said what to draw\nhint: make picture-guard");
        return ExitCode::FAILURE;
    };
    let read = std::fs::read_to_string(&file).map_err(|error| error.to_string());
    match read.and_then(|text| chart::courses(&text)) {
        Ok(courses) => {
            print!("{}", chart::svg(&courses));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: cannot draw {}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}
