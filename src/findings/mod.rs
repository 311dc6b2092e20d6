//! The current findings ([`board`]), and the notifications sent to each receiver about them ([`ledger`]).

pub mod asked;
pub mod board;
pub mod ledger;
