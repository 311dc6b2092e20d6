//! What every task of the operator stands on: the time, whether it leads, and when it ends.

pub mod clock;
pub mod leadership;
pub mod stop;
