//! Whole inputs, in the forms that people have.
