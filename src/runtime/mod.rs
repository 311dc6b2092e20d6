//! What every task of the operator needs: the time, leadership, and the stop signal.

pub mod clock;
pub mod leadership;
pub mod stop;
