//! Mutations: each is a line of input, what it gives, and whose errors it may answer with.

use crate::api::{Currency, Decimal, Failure, schema};
use cynic::QueryFragment;

/// A command's id, as text.
#[derive(cynic::Scalar, Clone, PartialEq, Eq, Debug)]
#[cynic(graphql_type = "UUID")]
pub struct CommandId(pub String);

#[derive(cynic::InputObject, Clone, Debug)]
pub struct MoneyInput {
    pub amount: Decimal,
    pub currency: Currency,
}

impl From<finance::Money> for MoneyInput {
    fn from(money: finance::Money) -> MoneyInput {
        MoneyInput {
            amount: Decimal(money.to_decimal_string()),
            currency: Currency(money.currency().code().into()),
        }
    }
}

/// A service's errors: any code; what each says stands in the messages.
macro_rules! errors {
    ($($error:ident, $code:ident, $one:ident;)*) => {$(
        #[derive(cynic::Enum, Clone, PartialEq, Eq, Debug)]
        #[cynic(non_exhaustive)]
        pub enum $code {
            // One by name, for the type must have one.
            $one,
            #[cynic(fallback)]
            Code(String),
        }

        #[derive(QueryFragment, Clone, Debug)]
        pub struct $error {
            pub code: $code,
            pub message: String,
        }

        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                let code = match error.code {
                    $code::Code(code) => code,
                    $code::$one => named(stringify!($one)),
                };
                Failure { code, message: error.message }
            }
        }
    )*};
}

errors! {
    IdentityUserError, IdentityErrorCode, IdentitySessionEnded;
    CustodyUserError, CustodyErrorCode, CustodyInsufficientFunds;
    InvestingUserError, InvestingErrorCode, InvestingInsufficientFunds;
    LendingUserError, LendingErrorCode, LendingInsufficientFunds;
    OfficeUserError, OfficeErrorCode, OfficeTaskDecided;
}

/// `OfficeTaskDecided` as the API writes it.
fn named(variant: &str) -> String {
    let mut code = String::new();
    for letter in variant.chars() {
        if letter.is_uppercase() && !code.is_empty() {
            code.push('_');
        }
        code.push(letter.to_ascii_uppercase());
    }
    code
}

/// A mutation as a module with its one function `send`. The dollar comes from outside, because a macro cannot write one.
macro_rules! command {
    (($d:tt) $name:ident: $input:ident { $($field:ident: $kind:ty),* $(,)? } => $payload:ident { $value:ident: $gives:ty }, $error:ident) => {
        pub mod $name {
            #[allow(unused_imports, reason = "what the fields are made of")]
            use super::*;
            use crate::api::{self, Failure, command, schema};
            use cynic::MutationBuilder;

            #[derive(cynic::InputObject, Clone, Debug)]
            pub struct $input {
                $(pub $field: $kind,)*
            }

            #[derive(cynic::QueryVariables)]
            pub struct Variables {
                input: $input,
            }

            #[derive(cynic::QueryFragment)]
            pub struct $payload {
                $value: $gives,
                errors: Vec<command::$error>,
            }

            #[derive(cynic::QueryFragment)]
            #[cynic(graphql_type = "Mutation", variables = "Variables")]
            struct Document {
                #[arguments(input: $d input)]
                $name: $payload,
            }

            /// # Errors
            /// When it is refused, or nobody answers.
            pub async fn send(input: $input) -> Result<$gives, Failure> {
                let payload = api::ask(Document::build(Variables { input })).await?.$name;
                match payload.errors.into_iter().next() {
                    Some(error) => Err(error.into()),
                    None => Ok(payload.$value),
                }
            }
        }
    };
}
pub(crate) use command;
