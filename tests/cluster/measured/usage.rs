//! The resource usage of a process, as counted by Linux.

use std::time::Duration;

/// The usage of a process so far.
#[derive(Copy, Clone, Debug, Default)]
pub struct Usage {
    /// Memory that is resident now, in bytes.
    pub resident: u64,
    /// The peak resident memory, in bytes.
    pub peak: u64,
    /// Processor time, in user and kernel mode.
    pub processor: Duration,
}

/// The usage of the process with that id.
///
/// # Panics
/// There is none, or this is no Linux.
pub fn of(pid: u32) -> Usage {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the process runs, on Linux");
    let status = read("status");
    let kilobytes = |field: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or_default()
    };
    Usage {
        resident: kilobytes("VmRSS:") * 1024,
        peak: kilobytes("VmHWM:") * 1024,
        processor: processor(&read("stat")),
    }
}

/// The number of files that the process with that id has open.
///
/// # Panics
/// There is none, or this is no Linux.
pub fn open_files(pid: u32) -> u64 {
    std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs, on Linux").count() as u64
}

/// Fields 14 and 15 of `/proc/PID/stat` (proc(5)), in hundredths of a second: `sysconf(_SC_CLK_TCK)` is 100
/// on every Linux that Rust runs on. The name before them may contain spaces and parentheses.
fn processor(stat: &str) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks: u32 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    TICK * ticks
}

/// Bytes in human-readable form.
pub fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
