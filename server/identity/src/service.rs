//! The published methods.

use crate::repo;
use crate::secret::Keys;
use futures::FutureExt;
use identity_api::*;
use kernel::call::{Actor, Service};
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::{Call, call};
use platform::db::Db;
use platform::outbox::{EventPage, EventsAfter, Outbox};
use platform::service::unreadable;
use platform::{Answer, Fault};
use std::sync::Arc;

/// What identity is made of.
pub struct Parts {
    pub db: Db,
    pub outbox: Outbox,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub keys: Keys,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) outbox: Outbox,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) keys: Keys,
}

/// Identity, running.
pub struct IdentityService {
    inner: Arc<Inner>,
}

impl IdentityService {
    pub fn new(parts: Parts) -> IdentityService {
        let Parts { db, outbox, clock, entropy, keys } = parts;
        IdentityService { inner: Arc::new(Inner { db, outbox, clock, entropy, keys }) }
    }
}

/// The public door, or a person at the machine.
fn door(call: &Call) -> Result<(), Fault<IdentityError>> {
    match call.caller {
        Service::Gateway | Service::Operator => Ok(()),
        _ => Err(Fault::Forbidden),
    }
}

impl Identity for IdentityService {
    fn begin<'a>(&'a self, call: &'a Call, _: Begin) -> Answer<'a, FirstLinks, IdentityError> {
        async move {
            if call.caller != Service::Operator {
                return Err(Fault::Forbidden);
            }
            self.inner.begin(call).await
        }
        .boxed()
    }

    fn register<'a>(&'a self, call: &'a Call, input: Register) -> Answer<'a, Registered, IdentityError> {
        async move {
            door(call)?;
            self.inner.register(call, input).await
        }
        .boxed()
    }

    fn sign_in<'a>(&'a self, call: &'a Call, input: SignIn) -> Answer<'a, Tokens, IdentityError> {
        async move {
            door(call)?;
            self.inner.sign_in(call, input).await
        }
        .boxed()
    }

    fn refresh<'a>(&'a self, call: &'a Call, input: Refresh) -> Answer<'a, Tokens, IdentityError> {
        async move {
            door(call)?;
            self.inner.refresh(call, input).await
        }
        .boxed()
    }

    fn authenticate<'a>(&'a self, call: &'a Call, input: Authenticate) -> Answer<'a, Actor, IdentityError> {
        async move { self.inner.authenticate(call, input).await }.boxed()
    }

    fn sign_out<'a>(&'a self, call: &'a Call, input: SignOut) -> Answer<'a, (), IdentityError> {
        async move { self.inner.sign_out(call, input).await }.boxed()
    }

    fn change_password<'a>(&'a self, call: &'a Call, input: ChangePassword) -> Answer<'a, (), IdentityError> {
        async move { self.inner.change_password(call, input).await }.boxed()
    }

    fn factor<'a>(&'a self, call: &'a Call, _: FactorOf) -> Answer<'a, FactorView, IdentityError> {
        async move { self.inner.factor(call).await }.boxed()
    }

    fn begin_factor<'a>(
        &'a self,
        call: &'a Call,
        input: BeginFactor,
    ) -> Answer<'a, FactorSetup, IdentityError> {
        async move { self.inner.begin_factor(call, input).await }.boxed()
    }

    fn confirm_factor<'a>(
        &'a self,
        call: &'a Call,
        input: ConfirmFactor,
    ) -> Answer<'a, RecoveryCodes, IdentityError> {
        async move { self.inner.confirm_factor(call, input).await }.boxed()
    }

    fn renew_recovery<'a>(
        &'a self,
        call: &'a Call,
        input: RenewRecovery,
    ) -> Answer<'a, RecoveryCodes, IdentityError> {
        async move { self.inner.renew_recovery(call, input).await }.boxed()
    }

    fn remove_factor<'a>(&'a self, call: &'a Call, input: RemoveFactor) -> Answer<'a, (), IdentityError> {
        async move { self.inner.remove_factor(call, input).await }.boxed()
    }

    fn ask_reset<'a>(&'a self, call: &'a Call, input: AskReset) -> Answer<'a, Asked, IdentityError> {
        async move {
            door(call)?;
            self.inner.ask_reset(call, input).await
        }
        .boxed()
    }

    fn link_stands<'a>(&'a self, call: &'a Call, input: LinkOf) -> Answer<'a, bool, IdentityError> {
        async move {
            door(call)?;
            self.inner.link_stands(call, input).await
        }
        .boxed()
    }

    fn invitation_stands<'a>(&'a self, call: &'a Call, input: LinkOf) -> Answer<'a, bool, IdentityError> {
        async move {
            door(call)?;
            self.inner.invitation_stands(call, input).await
        }
        .boxed()
    }

    fn reset_password<'a>(&'a self, call: &'a Call, input: ResetPassword) -> Answer<'a, (), IdentityError> {
        async move {
            door(call)?;
            self.inner.reset_password(call, input).await
        }
        .boxed()
    }

    fn ask_confirmation<'a>(
        &'a self,
        call: &'a Call,
        input: AskConfirmation,
    ) -> Answer<'a, Asked, IdentityError> {
        async move { self.inner.ask_confirmation(call, input).await }.boxed()
    }

    fn confirm_email<'a>(&'a self, call: &'a Call, input: ConfirmEmail) -> Answer<'a, (), IdentityError> {
        async move {
            door(call)?;
            self.inner.confirm_email(call, input).await
        }
        .boxed()
    }

    fn choose_language<'a>(&'a self, call: &'a Call, input: ChooseLanguage) -> Answer<'a, (), IdentityError> {
        async move { self.inner.choose_language(call, input).await }.boxed()
    }

    fn letter<'a>(
        &'a self,
        call: &'a Call,
        input: LetterOf,
    ) -> Answer<'a, Option<LetterView>, IdentityError> {
        async move { self.inner.letter(call, input).await }.boxed()
    }

    fn sessions<'a>(&'a self, call: &'a Call, _: SessionsOf) -> Answer<'a, Vec<SessionView>, IdentityError> {
        async move { self.inner.sessions(call).await }.boxed()
    }

    fn create_client<'a>(
        &'a self,
        call: &'a Call,
        input: CreateClient,
    ) -> Answer<'a, CreatedClient, IdentityError> {
        async move { self.inner.create_client(call, input).await }.boxed()
    }

    fn revoke_client<'a>(&'a self, call: &'a Call, input: RevokeClient) -> Answer<'a, (), IdentityError> {
        async move { self.inner.revoke_client(call, input).await }.boxed()
    }

    fn clients<'a>(&'a self, call: &'a Call, _: ClientsOf) -> Answer<'a, Vec<ClientView>, IdentityError> {
        async move { self.inner.clients(call).await }.boxed()
    }

    fn issue_token<'a>(
        &'a self,
        call: &'a Call,
        input: IssueToken,
    ) -> Answer<'a, ClientToken, IdentityError> {
        async move {
            door(call)?;
            self.inner.issue_token(call, input).await
        }
        .boxed()
    }

    fn parties<'a>(&'a self, call: &'a Call, input: PartiesOf) -> Answer<'a, Vec<PartyView>, IdentityError> {
        async move {
            let staff = call.is_staff();
            let own = call.party().is_some_and(|me| input.ids.iter().all(|id| *id == me));
            let service = matches!(call.actor, call::Actor::System { .. }) && call.caller != Service::Gateway;
            if !(staff || own || service) {
                return Err(Fault::Forbidden);
            }
            let read = async {
                let rows =
                    repo::parties(self.inner.db.read(), input.ids.iter().take(100).map(|id| id.0).collect())
                        .await?;
                let mut views = Vec::with_capacity(rows.len());
                for row in rows {
                    views.push(repo::view(self.inner.db.read(), row).await?);
                }
                Ok::<_, sea_orm::DbErr>(views)
            };
            read.await.map_err(|e| unreadable(call, "read parties", &e))
        }
        .boxed()
    }

    fn find<'a>(&'a self, call: &'a Call, input: FindParties) -> Answer<'a, Vec<PartyView>, IdentityError> {
        async move {
            if !call.is_staff() {
                return Err(Fault::Forbidden);
            }
            let read = async {
                let rows = repo::find_parties(self.inner.db.read(), &input).await?;
                let mut views = Vec::with_capacity(rows.len());
                for row in rows {
                    views.push(repo::view(self.inner.db.read(), row).await?);
                }
                Ok::<_, sea_orm::DbErr>(views)
            };
            read.await.map_err(|e| unreadable(call, "find parties", &e))
        }
        .boxed()
    }

    fn propose_change<'a>(
        &'a self,
        call: &'a Call,
        input: ProposeChange,
    ) -> Answer<'a, ChangeView, IdentityError> {
        async move { self.inner.propose_change(call, input).await }.boxed()
    }

    fn decide_change<'a>(
        &'a self,
        call: &'a Call,
        input: DecideChange,
    ) -> Answer<'a, Decided, IdentityError> {
        async move { self.inner.decide_change(call, input).await }.boxed()
    }

    fn pending_changes<'a>(
        &'a self,
        call: &'a Call,
        _: PendingChanges,
    ) -> Answer<'a, Vec<ChangeView>, IdentityError> {
        async move { self.inner.pending_changes(call).await }.boxed()
    }

    fn events<'a>(&'a self, call: &'a Call, input: EventsAfter) -> Answer<'a, EventPage, IdentityError> {
        async move {
            platform::outbox::for_services(call)?;
            self.inner
                .outbox
                .events(self.inner.db.read(), &input)
                .await
                .map_err(|e| unreadable(call, "read events", &e))
        }
        .boxed()
    }
}
