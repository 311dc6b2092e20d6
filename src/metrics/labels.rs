//! The closed sets that stand in labels.

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
    /// What waits to be worked off.
    Queue {
        /// What was seen, for the engine.
        Observations => "observations",
        /// What the engine would like to know.
        Lookups => "lookups",
        /// Findings whose objects have to be written.
        Writes => "writes",
    }

    /// What became of a message.
    Sent {
        /// The receiver took it.
        Delivered => "delivered",
        /// It could not be delivered now; it is tried again.
        Retried => "retried",
        /// The receiver will never take it.
        Refused => "refused",
        /// It was old news before it could be delivered.
        Dropped => "dropped",
    }
}
