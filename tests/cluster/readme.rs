//! What the README says to type for a cluster, typed.

use crate::harness::ControlPlane;
use crate::installed::kubectl;

const README: &str = include_str!("../../README.md");

#[tokio::test]
async fn every_kubectl_command_of_the_readme_runs() {
    let cluster = ControlPlane::start("readme").await;
    let commands: Vec<&str> = commands().collect();
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        kubectl(&cluster, &words).expect_success();
    }
}

/// The lines of all blocks marked as shell that are for `kubectl`, without their comments.
fn commands() -> impl Iterator<Item = &'static str> {
    let blocks = README.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|line| line.split("  #").next().unwrap_or(line).trim());
    lines.filter(|line| line.starts_with("kubectl "))
}
