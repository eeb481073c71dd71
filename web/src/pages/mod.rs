//! Pages by who sees them. A page says what it loads beside how it looks.

pub mod investor;
pub mod public;
