//! Runs the README's commands for a cluster.

use crate::harness::ControlPlane;
use crate::installed::{helm, kubectl};

const README: &str = include_str!("../../README.md");

#[tokio::test]
async fn every_kubectl_command_of_the_readme_runs() {
    let cluster = ControlPlane::start("readme").await;
    let commands: Vec<&str> = commands("kubectl ").collect();
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        kubectl(&cluster, &words).expect_success();
    }
}

#[tokio::test]
async fn every_helm_command_of_the_readme_runs() {
    let cluster = ControlPlane::start("readme-helm").await;
    let commands: Vec<&str> = commands("helm ").collect();
    assert!(commands.len() >= 2, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        helm(Some(&cluster), &words).expect_success();
    }
}

/// The lines of all shell blocks that run a program, without their comments.
fn commands(program: &str) -> impl Iterator<Item = &'static str> {
    let blocks = README.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|line| line.split("  #").next().unwrap_or(line).trim());
    lines.filter(move |line| line.starts_with(program))
}
