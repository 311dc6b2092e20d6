//! The part of the tests' shared code that is needed here.

#[path = "../../tests/support/findings_api.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
pub mod findings_api;
#[path = "../../tests/support/known.rs"]
pub mod known;
#[path = "../../tests/support/protobuf.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
pub mod protobuf;
#[path = "../../tests/support/slack.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
pub mod slack;
