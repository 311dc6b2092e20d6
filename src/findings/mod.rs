//! The findings as they are now ([`board`]), and what each receiver was told of them ([`ledger`]).

pub mod board;
pub mod ledger;
