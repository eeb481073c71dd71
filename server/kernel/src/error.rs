//! Errors as data: a code that a program can read, a sentence that a person can act on.

/// What every published error can say of itself. The code is the promise; the sentence is not.
pub trait Coded: std::fmt::Display {
    fn code(&self) -> &'static str;

    /// The field of the input that a user can mend, in the schema's spelling.
    fn field(&self) -> Option<&'static str> {
        None
    }
}

/// A service's published errors: `Variant { fields } = "CODE" [@ "field"]: "sentence with {fields}"`.
#[macro_export]
macro_rules! errors {
    ($(#[$doc:meta])* pub enum $name:ident {
        $($(#[$vdoc:meta])* $variant:ident $({ $($field:ident: $ty:ty),* $(,)? })? = $code:literal $(@ $at:literal)?: $sentence:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(tag = "error", rename_all = "snake_case")]
        pub enum $name {
            $($(#[$vdoc])* $variant $({ $($field: $ty),* })?,)*
        }

        impl ::std::fmt::Display for $name {
            #[allow(unused_variables)]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$variant $({ $($field),* })? => write!(f, $sentence),)*
                }
            }
        }

        impl ::std::error::Error for $name {}

        impl $crate::Coded for $name {
            fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant $({ $($field: _),* })? => $code,)*
                }
            }

            fn field(&self) -> Option<&'static str> {
                match self {
                    $(Self::$variant $({ $($field: _),* })? => $crate::errors!(@at $($at)?),)*
                }
            }
        }

        impl $name {
            /// Every code of this service, for the schema's enum and the documents.
            pub const CODES: &'static [&'static str] = &[$($code,)*];
        }
    };
    (@at $at:literal) => { Some($at) };
    (@at) => { None };
}

#[cfg(test)]
mod tests {
    use super::Coded;

    errors! {
        /// For this test.
        pub enum Sample {
            TooMuch { asked: i64, left: i64 } = "SAMPLE_TOO_MUCH" @ "amount": "{asked} asked, {left} left",
            Closed = "SAMPLE_CLOSED": "it is closed",
        }
    }

    #[test]
    fn an_error_says_its_code_its_field_and_its_sentence() {
        let e = Sample::TooMuch { asked: 3, left: 2 };
        assert_eq!(
            (e.code(), e.field(), e.to_string().as_str()),
            ("SAMPLE_TOO_MUCH", Some("amount"), "3 asked, 2 left")
        );
        assert_eq!(Sample::Closed.field(), None);
        assert_eq!(Sample::CODES, ["SAMPLE_TOO_MUCH", "SAMPLE_CLOSED"]);
    }
}
