//! Global ids: what kind of thing, and which one. Clients treat them as opaque.

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, ID, InputType, InputValueError, InputValueResult, OutputType, Positioned,
    ServerResult, Value,
};
use kernel::id::*;
use std::borrow::Cow;
use std::fmt;
use uuid::Uuid;

/// What has a global id.
pub trait Kind: Copy + Send + Sync + 'static {
    const PREFIX: &'static str;
    fn from_uuid(id: Uuid) -> Self;
    fn uuid(self) -> Uuid;
}

macro_rules! kinds {
    ($($id:ident $prefix:literal;)*) => {$(
        impl Kind for $id {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(id: Uuid) -> Self {
                $id(id)
            }
            fn uuid(self) -> Uuid {
                self.0
            }
        }
    )*};
}

kinds! {
    PartyId "party";
    SessionId "session";
    ClientId "client";
    ChangeId "change";
    InstructionId "order";
    MovementId "movement";
    ApplicationId "application";
    ListingId "listing";
    BidId "bid";
    LoanId "loan";
    DocumentId "document";
    NoticeId "notice";
    NoteId "note";
    RepaymentId "repayment";
    QuoteId "quote";
    TaskId "task";
    TransferId "transfer";
}

/// A typed id as GraphQL's `ID`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gid<K>(pub K);

impl<K: Kind> Gid<K> {
    pub fn text(self) -> String {
        format!("{}_{}", K::PREFIX, self.0.uuid().simple())
    }

    pub fn read(text: &str) -> Option<Gid<K>> {
        let hex = text.strip_prefix(K::PREFIX)?.strip_prefix('_').filter(|hex| hex.len() == 32)?;
        Uuid::parse_str(hex).ok().map(|id| Gid(K::from_uuid(id)))
    }
}

impl<K: Kind> fmt::Display for Gid<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl<K: Kind> InputType for Gid<K> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <ID as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let read = match &value {
            Some(Value::String(text)) => Gid::read(text),
            _ => None,
        };
        read.ok_or_else(|| InputValueError::custom(format!("this is not the id of a {}", K::PREFIX)))
    }

    fn to_value(&self) -> Value {
        Value::String(self.text())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<K: Kind> OutputType for Gid<K> {
    fn type_name() -> Cow<'static, str> {
        <ID as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::String(self.text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_fits_only_its_kind() {
        let id = Gid(ListingId(Uuid::from_u128(7)));
        assert_eq!(id.text(), "listing_00000000000000000000000000000007");
        assert_eq!(Gid::read(&id.text()), Some(id));
        assert_eq!(Gid::<LoanId>::read(&id.text()), None);
        assert_eq!(Gid::<ListingId>::read("listing_7"), None);
    }
}
