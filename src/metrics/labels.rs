//! The label values that form closed sets.

macro_rules! labels {
    ($($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident => $word:literal),+ $(,)? })+) => {
        $(
            $(#[$meta])*
            #[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
            pub enum $name { $($(#[$doc])* $variant),+ }

            impl $name {
                /// All of them.
                pub const ALL: &'static [Self] = &[$(Self::$variant),+];

                /// The label's value.
                pub const fn word(self) -> &'static str {
                    match self { $(Self::$variant => $word),+ }
                }
            }
        )+
    };
}

labels! {
    /// The queues.
    Queue {
        /// Observations for the engine.
        Observations => "observations",
        /// Needs of the engine.
        Lookups => "lookups",
        /// Findings whose objects have to be written.
        Writes => "writes",
    }

    /// The outcome of a message.
    Sent {
        /// The receiver accepted it.
        Delivered => "delivered",
        /// It could not be delivered; it is retried.
        Retried => "retried",
        /// The receiver will never accept it.
        Refused => "refused",
        /// It was outdated before it could be delivered.
        Dropped => "dropped",
    }
}
