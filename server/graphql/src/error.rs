//! Errors: what a user can mend comes in the payload, the rest at the top with a code and without inside details.

use crate::context::Asker;
use async_graphql::parser::types::Field;
use async_graphql::registry::{Deprecation, MetaEnumValue, MetaType, Registry};
use async_graphql::{
    ContextSelectionSet, Error, ErrorExtensions, Name, OutputType, Positioned, ServerResult, Value,
};
use kernel::{Actor, Coded};
use platform::Fault;
use std::borrow::Cow;
use std::marker::PhantomData;

/// An error at the top of the answer.
pub fn top(code: &str, message: &str) -> Error {
    Error::new(message).extend_with(|_, e| e.set("code", code))
}

/// The request itself is wrong: a program's mistake rather than a user's.
pub fn malformed(why: &str) -> Error {
    top("BAD_USER_INPUT", why)
}

pub fn unauthenticated() -> Error {
    top("UNAUTHENTICATED", "sign in first")
}

/// A fault as a top-level error.
pub fn fault<E: Coded>(asker: &Asker, fault: Fault<E>) -> Error {
    match fault {
        Fault::Refused(e) => top(e.code(), &e.to_string()),
        Fault::Forbidden if asker.actor == Actor::Anonymous => unauthenticated(),
        Fault::Forbidden => top("FORBIDDEN", "you may not do this"),
        Fault::Unavailable => {
            top("SERVICE_UNAVAILABLE", "a part of the platform does not answer; try again soon")
        }
        Fault::Busy => top("BUSY", "too much is waiting; try again"),
        Fault::OutcomeUnknown => top("OUTCOME_UNKNOWN", "it may have happened: ask again with the same id"),
        Fault::Malformed(why) => {
            tracing::warn!(request = %asker.request, why, "a service could not read what the gateway sent");
            malformed("a value is not of the form that is needed")
        }
        Fault::Internal => top("INTERNAL", "a failure inside; it was logged under the request id"),
    }
}

/// One service's error codes as an enum of the schema.
pub struct Code<E> {
    code: &'static str,
    of: PhantomData<fn() -> E>,
}

/// What the schema needs to know of a service's errors.
pub trait Codes: Coded {
    const ENUM: &'static str;
    const ALL: &'static [&'static str];
}

impl<E: Codes> OutputType for Code<E> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(E::ENUM)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(async_graphql::registry::MetaTypeId::Enum, |_| {
            MetaType::Enum {
                name: E::ENUM.into(),
                description: Some("What went wrong, for programs; new values may be added.".into()),
                enum_values: E::ALL
                    .iter()
                    .map(|code| {
                        let value = MetaEnumValue {
                            name: (*code).into(),
                            description: None,
                            deprecation: Deprecation::NoDeprecated,
                            visible: None,
                            inaccessible: false,
                            tags: Vec::new(),
                            directive_invocations: Vec::new(),
                        };
                        ((*code).to_string(), value)
                    })
                    .collect(),
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: Some(std::any::type_name::<Self>()),
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            }
        })
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::Enum(Name::new(self.code)))
    }
}

macro_rules! user_errors {
    ($($object:ident of $error:ty, $enum:literal;)*) => {$(
        impl Codes for $error {
            const ENUM: &'static str = $enum;
            const ALL: &'static [&'static str] = <$error>::CODES;
        }

        /// Something the user can mend.
        #[derive(async_graphql::SimpleObject)]
        pub struct $object {
            pub code: Code<$error>,
            /// Which part of the input it is about, when it is about one.
            pub field: Option<String>,
            /// A sentence for a person.
            pub message: String,
        }

        impl From<$error> for $object {
            fn from(e: $error) -> Self {
                $object {
                    code: Code { code: e.code(), of: PhantomData },
                    field: e.field().map(str::to_string),
                    message: e.to_string(),
                }
            }
        }
    )*};
}

user_errors! {
    IdentityUserError of identity_api::IdentityError, "IdentityErrorCode";
    CustodyUserError of custody_api::CustodyError, "CustodyErrorCode";
    LendingUserError of lending_api::LendingError, "LendingErrorCode";
    InvestingUserError of investing_api::InvestingError, "InvestingErrorCode";
    NotificationUserError of notification_api::NotificationError, "NotificationErrorCode";
    OfficeUserError of office_api::OfficeError, "OfficeErrorCode";
}

/// A mutation's payload: what came of it, or why nothing did.
#[macro_export]
macro_rules! payload {
    ($($(#[$doc:meta])* $name:ident { $field:ident: $ty:ty } or $error:ident;)*) => {$(
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            pub $field: Option<$ty>,
            pub errors: Vec<$error>,
        }

        impl $name {
            /// # Errors
            /// What a user cannot mend.
            pub fn of<T: Into<$ty>, E: kernel::Coded + Into<$error>>(
                asker: &$crate::context::Asker,
                outcome: Result<T, platform::Fault<E>>,
            ) -> async_graphql::Result<$name> {
                match outcome {
                    Ok(done) => Ok($name { $field: Some(done.into()), errors: Vec::new() }),
                    Err(platform::Fault::Refused(e)) => {
                        asker.note_refusal(e.code());
                        Ok($name { $field: None, errors: vec![e.into()] })
                    }
                    Err(other) => Err($crate::error::fault(asker, other)),
                }
            }
        }
    )*};
}
