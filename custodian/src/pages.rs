//! The users' own pages: open an account, confirm a top-up, a withdrawal, a consent, a single order; see and revoke
//! consents. Each asks for the payment password, which the platform never sees.

use crate::bank::Bank;
use crate::operation::{Ask, Grant, Refusal, Request};
use crate::store;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{DOCTYPE, Markup, html};
use sea_orm::DbErr;
use serde::Deserialize;
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<Bank>> {
    Router::new()
        .route("/pages/{token}", get(show).post(answer))
        .route("/account", get(account_form).post(account_show))
        .route("/account/revoke", post(revoke))
}

const WRONG_MAX: i64 = 5;

const STYLE: &str = "
:root{color-scheme:light dark;--paper:light-dark(#eef1f5,#10151b);--card:light-dark(#fff,#18202a);--ink:light-dark(#15202b,#e6ebf0);--soft:light-dark(#4d5b69,#a9b5c1);--rule:light-dark(#c9d2db,#344150);--act:light-dark(#1d4f91,#8ab8f5);--on:light-dark(#fff,#0b1a2c);--bad:light-dark(#a5281b,#f39a8c)}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 Georgia,'DejaVu Serif',serif;font-variant-numeric:tabular-nums}
main{max-width:460px;margin:6vh auto;padding:28px;background:var(--card);border:1px solid var(--rule);border-radius:4px}
h1{font-size:1.3rem;margin:0 0 4px}p{margin:8px 0}.bank{color:var(--soft);font-size:.9rem}dl{display:grid;grid-template-columns:auto 1fr;gap:4px 16px;margin:16px 0}dt{color:var(--soft)}dd{margin:0;text-align:end}
label{display:block;margin:12px 0 4px}input{font:inherit;width:100%;padding:9px;border:1px solid var(--soft);border-radius:3px;background:var(--card);color:var(--ink)}
button,a.go{font:inherit;display:inline-block;padding:9px 18px;border-radius:3px;border:1px solid var(--act);background:var(--act);color:var(--on);margin:16px 8px 0 0;cursor:pointer;text-decoration:none}button.no{background:none;color:var(--act)}
.bad{color:var(--bad)}:focus-visible{outline:2px solid var(--act);outline-offset:2px}";

fn page(bank: &Bank, status: StatusCode, title: &str, body: Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · " (bank.settings.name) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { main { p.bank { "Harbour Custody · sandbox · your money is kept here, not by the platform" } h1 { (title) } (body) } }
        }
    };
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let mut response = (status, axum::response::Html(page.into_string())).into_response();
    for (name, value) in headers {
        let name: HeaderName = name;
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn over(bank: &Bank) -> Response {
    let body = html! {
        p { "This page was used or has run out. Nothing was moved by opening it." }
        a.go href=(bank.settings.platform_url) { "Back to the platform" }
    };
    page(bank, StatusCode::GONE, "This page is over", body)
}

fn broken(bank: &Bank, e: &DbErr) -> Response {
    tracing::error!(error = %e, "a page failed");
    page(
        bank,
        StatusCode::INTERNAL_SERVER_ERROR,
        "We could not do this",
        html! { p { "Nothing was moved. Please try again." } },
    )
}

async fn waiting(bank: &Bank, token: &str) -> Result<Option<Request>, DbErr> {
    let sql = "SELECT body FROM request WHERE token = $1 AND token <> '' AND status = 'AWAITING_USER' AND expires_at > $2";
    let row = store::one(bank.db(), sql, [token.into(), bank.now().into()]).await?;
    row.map(|r| {
        serde_json::from_str(&r.try_get_by_index::<String>(0)?).map_err(|e| DbErr::Json(e.to_string()))
    })
    .transpose()
}

fn amount(minor: i64, currency: &str) -> String {
    let places = match currency {
        "JPY" | "KRW" | "VND" | "CLP" | "ISK" | "UGX" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "KWD" | "OMR" | "JOD" | "TND" | "LYD" | "IQD" => 3,
        _ => 2,
    };
    let unit = 10i64.pow(places);
    if places == 0 {
        format!("{currency} {minor}")
    } else {
        format!("{currency} {}.{:0w$}", minor / unit, minor % unit, w = places as usize)
    }
}

fn scope_words(grant: &Grant) -> &'static str {
    match grant.scope {
        crate::operation::Scope::Bid => "Freeze my money for loans I bid on",
        crate::operation::Scope::Repay => "Take my instalments when they are due",
        crate::operation::Scope::Fee => "Take the platform's fee for my loan",
    }
}

/// The project's currency, for an order that names none itself.
async fn currency_of(bank: &Bank, ask: &Ask) -> Result<String, DbErr> {
    let Ask::Freeze { project_no, .. } = ask else { return Ok(String::new()) };
    let sql = "SELECT currency FROM project WHERE no = $1";
    let row = store::one(bank.db(), sql, [project_no.as_str().into()]).await?;
    row.map_or(Ok(String::new()), |r| r.try_get_by_index(0))
}

async fn form(bank: &Bank, token: &str, request: &Request, wrong: Option<&str>) -> Response {
    match currency_of(bank, &request.ask).await {
        Ok(currency) => draw(bank, token, request, &currency, wrong),
        Err(e) => broken(bank, &e),
    }
}

fn draw(bank: &Bank, token: &str, request: &Request, project: &str, wrong: Option<&str>) -> Response {
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let opening = matches!(request.ask, Ask::OpenAccount { .. });
    let (title, what) = match &request.ask {
        Ask::OpenAccount { name, .. } => (
            "Open your cash account",
            html! { dl { dt { "Name" } dd { (name) } } p { "It is in your own name. The platform can see it and cannot move it." } },
        ),
        Ask::TopUp { currency, amount: a, .. } => (
            "Pay into your cash account",
            html! { dl { dt { "Amount" } dd { (amount(*a, currency)) } } p { "In the sandbox the payment from your bank always succeeds." } },
        ),
        Ask::Withdraw { currency, amount: a, .. } => {
            ("Withdraw to your own bank", html! { dl { dt { "Amount" } dd { (amount(*a, currency)) } } })
        }
        Ask::Freeze { amount: a, project_no, purpose, .. } => {
            let title = if *purpose == crate::operation::Scope::Bid {
                "Freeze money for a bid"
            } else {
                "Pay an instalment"
            };
            (
                title,
                html! { dl { dt { "Amount" } dd { (amount(*a, project)) } dt { "Project" } dd { (project_no.get(..8).unwrap_or(project_no)) } } p { "The money stays yours until the loan is paid out." } },
            )
        }
        Ask::GrantAuthorization { grants, .. } => (
            "What you allow",
            html! {
                @for grant in grants {
                    dl { dt { "I allow" } dd { (scope_words(grant)) } dt { "One order at most" } dd { (amount(grant.per_order, &grant.currency)) } dt { "In all at most" } dd { (amount(grant.total, &grant.currency)) } }
                }
                p { "You can take this back at any time on your account's page here." }
            },
        ),
        _ => ("Confirm", html! {}),
    };
    let body = html! {
        (what)
        @if let Some(wrong) = wrong { p.bad role="alert" { (wrong) } }
        form method="post" action={ "/pages/" (token) } {
            @if opening {
                label for="bank" { "Your bank account (IBAN or number)" }
                input id="bank" name="bank_account" autocomplete="off" required minlength="5" maxlength="34";
                label for="password" { "Choose a payment password (8 characters or more)" }
                input id="password" type="password" name="password" autocomplete="new-password" required minlength="8";
            } @else {
                label for="password" { "Payment password" }
                input id="password" type="password" name="password" autocomplete="current-password" autofocus required;
            }
            button name="decision" value="confirm" { "Confirm" }
            button.no name="decision" value="refuse" formnovalidate { "Refuse" }
        }
    };
    page(bank, status, title, body)
}

async fn show(State(bank): State<Arc<Bank>>, Path(token): Path<String>) -> Response {
    match waiting(&bank, &token).await {
        Ok(Some(request)) => form(&bank, &token, &request, None).await,
        Ok(None) => over(&bank),
        Err(e) => broken(&bank, &e),
    }
}

#[derive(Deserialize)]
struct Answer {
    decision: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    bank_account: String,
}

/// Why a page is not done.
enum Wrong {
    Mend(String),
    Over,
    Broken(DbErr),
}

impl From<DbErr> for Wrong {
    fn from(e: DbErr) -> Self {
        Wrong::Broken(e)
    }
}

impl From<Refusal> for Wrong {
    fn from(e: Refusal) -> Self {
        match e {
            Refusal::Code("INSUFFICIENT_FUNDS") => {
                Wrong::Mend("There is not enough money in your cash account.".into())
            }
            Refusal::Code("PROJECT_FULL") => Wrong::Mend("This loan has been filled meanwhile.".into()),
            Refusal::Code(code) => Wrong::Mend(format!("We cannot do this ({code}). Nothing was moved.")),
            Refusal::Broken(e) => Wrong::Broken(e),
        }
    }
}

async fn answer(
    State(bank): State<Arc<Bank>>,
    Path(token): Path<String>,
    Form(answer): Form<Answer>,
) -> Response {
    let request = match waiting(&bank, &token).await {
        Ok(Some(request)) => request,
        Ok(None) => return over(&bank),
        Err(e) => return broken(&bank, &e),
    };
    if answer.decision == "refuse" {
        let refused = bank.alone::<bool, DbErr, _>(|tx| {
            let no = request.request_no.clone();
            let bank = bank.clone();
            async move {
                // In its turn: a confirmation in another window may have been first.
                let sql = "SELECT 1 FROM request WHERE request_no = $1 AND status = 'AWAITING_USER'";
                if store::one(&*tx, sql, [no.clone().into()]).await?.is_none() {
                    return Ok(false);
                }
                bank.settle(&*tx, &no, "CANCELLED", "USER_REFUSED").await?;
                Ok(true)
            }
        });
        match refused.await {
            Ok(true) => {}
            Ok(false) => return over(&bank),
            Err(e) => return broken(&bank, &e),
        }
        let body = html! { p { "You refused. Nothing was moved." } a.go href=(bank.settings.platform_url) { "Back to the platform" } };
        return page(&bank, StatusCode::OK, "Refused", body);
    }
    match confirm(&bank, &token, &request, &answer).await {
        Ok(()) => {
            let body = html! { p { "Done. The platform has been told." } a.go href=(bank.settings.platform_url) { "Back to the platform" } };
            page(&bank, StatusCode::OK, "Confirmed", body)
        }
        Err(Wrong::Mend(sentence)) => form(&bank, &token, &request, Some(&sentence)).await,
        Err(Wrong::Over) => over(&bank),
        Err(Wrong::Broken(e)) => broken(&bank, &e),
    }
}

async fn confirm(bank: &Arc<Bank>, token: &str, request: &Request, answer: &Answer) -> Result<(), Wrong> {
    // Hashing takes its time; it is done before anybody has to wait in the queue.
    let opening = match &request.ask {
        Ask::OpenAccount { user_no, name } => {
            if answer.password.chars().count() < 8 {
                return Err(Wrong::Mend("The payment password needs at least 8 characters.".into()));
            }
            if answer.bank_account.trim().len() < 5 {
                return Err(Wrong::Mend("Please give your bank account.".into()));
            }
            Some((user_no.clone(), name.clone(), hash(bank, answer.password.clone()).await?))
        }
        ask => {
            password(bank, ask.user_no().unwrap_or_default(), answer.password.clone()).await?;
            None
        }
    };
    bank.alone::<(), Wrong, _>(|tx| async move {
        let sql = "SELECT 1 FROM request WHERE token = $1 AND status = 'AWAITING_USER' AND expires_at > $2";
        if store::one(&*tx, sql, [token.into(), bank.now().into()]).await?.is_none() {
            return Err(Wrong::Over);
        }
        let status = if let Some((user_no, name, password)) = opening {
            let sql = "INSERT INTO account (no, user_no, kind, name, bank_account, password, state)
                       VALUES ($1, $2, 'PERSON', $3, $4, $5, 'ACTIVE') ON CONFLICT DO NOTHING";
            let no = format!("HC{}", &bank.secret()[..10]);
            let values =
                [no.into(), user_no.into(), name.into(), answer.bank_account.trim().into(), password.into()];
            if store::run(&*tx, sql, values).await? == 0 {
                return Err(Wrong::Mend("There is an account in this name already.".into()));
            }
            "SUCCESS"
        } else {
            bank.carry_out(&*tx, request, true).await?
        };
        bank.settle(&*tx, &request.request_no, status, "").await?;
        Ok(())
    })
    .await
}

fn argon() -> Argon2<'static> {
    // 19 MiB, two passes: the first recommendation of OWASP's password storage page.
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

async fn hash(bank: &Bank, password: String) -> Result<String, Wrong> {
    let mut salt = [0; 16];
    (bank.settings.chance)(&mut salt);
    let hashed = tokio::task::spawn_blocking(move || {
        let salt = SaltString::encode_b64(&salt).ok()?;
        argon().hash_password(password.as_bytes(), &salt).ok().map(|h| h.to_string())
    });
    hashed
        .await
        .ok()
        .flatten()
        .ok_or_else(|| Wrong::Broken(DbErr::Custom("a password was not hashed".into())))
}

/// Checks a payment password; five wrong ones in a row lock the account until the custodian's staff unlock it.
async fn password(bank: &Bank, user_no: &str, given: String) -> Result<String, Wrong> {
    let row = store::one(
        bank.db(),
        "SELECT no, password, wrong FROM account WHERE user_no = $1 OR no = $1",
        [user_no.into()],
    )
    .await?;
    let Some(row) = row else { return Err(Wrong::Mend("The account or the password is wrong.".into())) };
    let (no, stored, wrong): (String, String, i64) =
        (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    if wrong >= WRONG_MAX {
        return Err(Wrong::Mend("The payment password was wrong too often. Please call us.".into()));
    }
    let right = tokio::task::spawn_blocking(move || {
        PasswordHash::new(&stored).is_ok_and(|h| argon().verify_password(given.as_bytes(), &h).is_ok())
    });
    if right.await.unwrap_or(false) {
        store::run(
            bank.db(),
            "UPDATE account SET wrong = 0 WHERE no = $1 AND wrong > 0",
            [no.clone().into()],
        )
        .await?;
        Ok(no)
    } else {
        store::run(bank.db(), "UPDATE account SET wrong = wrong + 1 WHERE no = $1", [no.into()]).await?;
        Err(Wrong::Mend("The account or the password is wrong.".into()))
    }
}

fn sign_in(bank: &Bank, no: &str, wrong: Option<&str>) -> Response {
    let body = html! {
        @if let Some(wrong) = wrong { p.bad role="alert" { (wrong) } }
        form method="post" action="/account" {
            label for="account" { "Account number" }
            input id="account" name="account" value=(no) required;
            label for="password" { "Payment password" }
            input id="password" type="password" name="password" required;
            button { "Show" }
        }
    };
    page(
        bank,
        if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK },
        "Your cash account",
        body,
    )
}

/// Whose page it is, when a link says so.
#[derive(Deserialize)]
struct Whose {
    #[serde(default)]
    no: String,
}

async fn account_form(State(bank): State<Arc<Bank>>, Query(whose): Query<Whose>) -> Response {
    sign_in(&bank, &whose.no, None)
}

#[derive(Deserialize)]
struct Account {
    account: String,
    password: String,
    #[serde(default)]
    consent: String,
}

async fn account_show(State(bank): State<Arc<Bank>>, Form(form): Form<Account>) -> Response {
    match account_body(&bank, &form).await {
        Ok(body) => page(&bank, StatusCode::OK, "Your cash account", body),
        Err(Wrong::Mend(sentence)) => sign_in(&bank, &form.account, Some(&sentence)),
        Err(Wrong::Over) => over(&bank),
        Err(Wrong::Broken(e)) => broken(&bank, &e),
    }
}

async fn account_body(bank: &Bank, form: &Account) -> Result<Markup, Wrong> {
    let no = password(bank, &form.account, form.password.clone()).await?;
    let balances = store::all(
        bank.db(),
        "SELECT currency, available, frozen, blocked, payout FROM balance WHERE account = $1",
        [no.clone().into()],
    )
    .await?;
    let sql = "SELECT no, scope, currency, per_order, total, used FROM consent WHERE account = $1 AND state = 'ACTIVE' ORDER BY scope";
    let consents = store::all(bank.db(), sql, [no.into()]).await?;
    let mut lines = Vec::new();
    for b in &balances {
        let currency: String = b.try_get_by_index(0)?;
        let of = |n: usize| b.try_get_by_index::<i64>(n).map(|minor| amount(minor, &currency));
        lines.push((of(1)?, of(2)?, of(3)?));
    }
    let mut allowed = Vec::new();
    for c in &consents {
        let currency: String = c.try_get_by_index(2)?;
        let (per_order, total, used): (i64, i64, i64) =
            (c.try_get_by_index(3)?, c.try_get_by_index(4)?, c.try_get_by_index(5)?);
        let words = format!(
            "{}: {} an order, {} of {} used",
            c.try_get_by_index::<String>(1)?,
            amount(per_order, &currency),
            amount(used, &currency),
            amount(total, &currency)
        );
        allowed.push((c.try_get_by_index::<String>(0)?, words));
    }
    Ok(html! {
        @for (available, frozen, blocked) in lines {
            dl { dt { "Available" } dd { (available) } dt { "Frozen" } dd { (frozen) } dt { "Blocked" } dd { (blocked) } }
        }
        h1 { "What you allow" }
        @for (no, words) in allowed {
            form method="post" action="/account/revoke" {
                p { (words) }
                input type="hidden" name="account" value=(form.account);
                input type="hidden" name="consent" value=(no);
                label { "Payment password" input type="password" name="password" required; }
                button { "Take it back" }
            }
        }
    })
}

async fn revoke(State(bank): State<Arc<Bank>>, Form(form): Form<Account>) -> Response {
    let revoked = async {
        let no = password(&bank, &form.account, form.password.clone()).await?;
        let sql = "UPDATE consent SET state = 'REVOKED' WHERE no = $1 AND account = $2 AND state = 'ACTIVE'";
        store::run(bank.db(), sql, [form.consent.clone().into(), no.into()]).await?;
        Ok::<(), Wrong>(())
    };
    match revoked.await {
        Ok(()) => page(
            &bank,
            StatusCode::OK,
            "Taken back",
            html! { p { "From now on each order of this kind asks you first." } a.go href="/account" { "Your account" } },
        ),
        Err(Wrong::Mend(sentence)) => sign_in(&bank, &form.account, Some(&sentence)),
        Err(Wrong::Over) => over(&bank),
        Err(Wrong::Broken(e)) => broken(&bank, &e),
    }
}
