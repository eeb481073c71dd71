//! The users' own pages: open an account, confirm a top-up, a withdrawal, a consent, a single order; see and revoke
//! consents. Each asks for the payment password, which the platform never sees.

use crate::bank::Bank;
use crate::operation::{Ask, Refusal, Request, Scope};
use crate::store;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use axum::Router;
use axum::extract::{Form, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{DOCTYPE, Markup, html};
use sea_orm::DbErr;
use serde::Deserialize;
use std::convert::Infallible;
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
h1{font-size:1.3rem;margin:0 0 4px}p{margin:8px 0}.bank{color:var(--soft);font-size:.9rem}dl{display:grid;grid-template-columns:auto 1fr;gap:4px 16px;margin:16px 0}dt{color:var(--soft)}dd{margin:0;text-align:end;white-space:nowrap}dd.long{white-space:normal;overflow-wrap:anywhere}
label{display:block;margin:12px 0 4px}input{font:inherit;width:100%;padding:9px;border:1px solid var(--soft);border-radius:3px;background:var(--card);color:var(--ink)}
button,a.go{font:inherit;display:inline-block;padding:9px 18px;border-radius:3px;border:1px solid var(--act);background:var(--act);color:var(--on);margin:16px 8px 0 0;cursor:pointer;text-decoration:none}button.no{background:none;color:var(--act)}
@media (max-width:500px){main{margin:12px}}.bad{color:var(--bad)}:focus-visible{outline:2px solid var(--act);outline-offset:2px}";

/// In which of the two languages a page is written: as the link says, else as the browser wishes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tongue {
    English,
    Chinese,
}

use Tongue::{Chinese, English};

#[derive(Deserialize)]
struct Lang {
    #[serde(default)]
    lang: String,
}

impl<S: Sync> FromRequestParts<S> for Tongue {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Tongue, Infallible> {
        let asked = Query::<Lang>::try_from_uri(&parts.uri).map(|q| q.0.lang).unwrap_or_default();
        let wish = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
        let wish = if asked.is_empty() { wish.unwrap_or_default() } else { &asked };
        Ok(if wish.trim_start().to_lowercase().starts_with("zh") { Chinese } else { English })
    }
}

impl Tongue {
    fn say<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            English => english,
            Chinese => chinese,
        }
    }

    fn tag(self) -> &'static str {
        match self {
            English => "en",
            Chinese => "zh-CN",
        }
    }
}

/// A sentence in both languages.
struct Said {
    english: String,
    chinese: String,
}

fn said(english: &str, chinese: &str) -> Wrong {
    Wrong::Mend(Said { english: english.into(), chinese: chinese.into() })
}

fn page(bank: &Bank, t: Tongue, status: StatusCode, title: &str, body: Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang=(t.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · " (bank.settings.name) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { main { p.bank { (t.say("Harbour Custody · sandbox · your money is kept here, not by the platform", "海港存管（沙箱）· 您的资金存放在这里，不在平台")) } h1 { (title) } (body) } }
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

fn back(bank: &Bank, t: Tongue) -> Markup {
    back_to(t, &bank.settings.platform_url)
}

/// The way back with what one said, for the platform's page. A hint for the eye: what happened the platform learns from us
/// and not from an address.
fn back_with(bank: &Bank, t: Tongue, outcome: &str) -> Markup {
    let there = &bank.settings.platform_url;
    let joint = if there.contains('?') { '&' } else { '?' };
    back_to(t, &format!("{there}{joint}outcome={outcome}"))
}

fn back_to(t: Tongue, there: &str) -> Markup {
    html! { a.go href=(there) { (t.say("Back to the platform", "返回平台")) } }
}

fn over(bank: &Bank, t: Tongue) -> Response {
    let body = html! {
        p { (t.say("This page was used or has run out. Nothing was moved by opening it.", "此页面已使用或已过期。打开本页不会动用任何资金。")) }
        (back(bank, t))
    };
    page(bank, t, StatusCode::GONE, t.say("This page is over", "此页面已失效"), body)
}

fn broken(bank: &Bank, t: Tongue, e: &DbErr) -> Response {
    tracing::error!(error = %e, "a page failed");
    page(
        bank,
        t,
        StatusCode::INTERNAL_SERVER_ERROR,
        t.say("We could not do this", "未能完成"),
        html! { p { (t.say("Nothing was moved. Please try again.", "没有动用任何资金，请重试。")) } },
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
    let whole = grouped(minor / unit);
    if places == 0 {
        format!("{currency} {whole}")
    } else {
        format!("{currency} {whole}.{:0w$}", minor % unit, w = places as usize)
    }
}

/// The day of an instant.
fn day(t: Tongue, at: i64) -> String {
    chrono::DateTime::from_timestamp(at, 0).map_or_else(String::new, |at| written(t, at.date_naive()))
}

fn written(t: Tongue, day: chrono::NaiveDate) -> String {
    day.format(t.say("%b %-d, %Y", "%Y年%-m月%-d日")).to_string()
}

/// With its thousands apart; amounts on these pages are never negative.
fn grouped(whole: i64) -> String {
    if whole < 1_000 { whole.to_string() } else { format!("{},{:03}", grouped(whole / 1_000), whole % 1_000) }
}

fn scope_words(t: Tongue, scope: Scope) -> &'static str {
    match scope {
        Scope::Bid => t.say("Freeze my money for loans I bid on", "为我出借的借款冻结资金"),
        Scope::Repay => t.say("Take my instalments when they are due", "到期时扣取我的还款"),
        Scope::Fee => t.say("Take the platform's fee for my loan", "扣取我借款的平台费用"),
    }
}

/// A movement's kind in words; one without any is shown as it is kept.
fn kind_words(t: Tongue, kind: &str) -> String {
    match kind {
        "TOP_UP" => t.say("paid in", "充值"),
        "FREEZE" => t.say("frozen", "冻结"),
        "UNFREEZE" => t.say("unfrozen", "解冻"),
        "DISBURSE" => t.say("loan paid out", "放款"),
        "UNBLOCK" => t.say("made available", "转为可用"),
        "REVERSE" => t.say("loan sent back", "放款退回"),
        "REPAY" => t.say("repayment", "还款"),
        "FEE" => t.say("platform fee", "平台费用"),
        "PAYOUT_ACCEPTED" => t.say("set aside for a withdrawal", "为提现预留"),
        "PAYOUT_PAID" => t.say("withdrawn", "提现"),
        "PAYOUT_FAILED" | "PAYOUT_RETURNED" => t.say("withdrawal returned", "提现退回"),
        other => other,
    }
    .into()
}

/// What the custodian knows beside what an order says.
#[derive(Default)]
struct Known {
    /// The project's currency and name, for an order that names it by number alone.
    currency: String,
    name: String,
    /// The end of the user's bank account, and what is available, where money leaves.
    bank: String,
    available: i64,
}

async fn known(bank: &Bank, ask: &Ask) -> Result<Known, DbErr> {
    match ask {
        Ask::Freeze { project_no, .. } => {
            let sql = "SELECT p.currency, n.name FROM project p LEFT JOIN project_name n ON n.project = p.no WHERE p.no = $1";
            let Some(row) = store::one(bank.db(), sql, [project_no.as_str().into()]).await? else {
                return Ok(Known::default());
            };
            let name: Option<String> = row.try_get_by_index(1)?;
            let number = || project_no.get(..8).unwrap_or(project_no).to_string();
            Ok(Known {
                currency: row.try_get_by_index(0)?,
                name: name.filter(|n| !n.is_empty()).unwrap_or_else(number),
                ..Known::default()
            })
        }
        Ask::Withdraw { user_no, currency, .. } => {
            let sql = "SELECT a.bank_account, b.available FROM account a LEFT JOIN balance b ON b.account = a.no AND b.currency = $2
                       WHERE a.user_no = $1";
            let Some(row) =
                store::one(bank.db(), sql, [user_no.as_str().into(), currency.as_str().into()]).await?
            else {
                return Ok(Known::default());
            };
            let account: String = row.try_get_by_index(0)?;
            let skipped = account.chars().count().saturating_sub(4);
            Ok(Known {
                bank: format!("•••• {}", account.chars().skip(skipped).collect::<String>()),
                available: row.try_get_by_index::<Option<i64>>(1)?.unwrap_or_default(),
                ..Known::default()
            })
        }
        _ => Ok(Known::default()),
    }
}

async fn form(
    bank: &Bank,
    t: Tongue,
    token: &str,
    request: &Request,
    bank_account: &str,
    wrong: Option<&str>,
) -> Response {
    match known(bank, &request.ask).await {
        Ok(known) => draw(bank, t, token, request, &known, bank_account, wrong),
        Err(e) => broken(bank, t, &e),
    }
}

fn draw(
    bank: &Bank,
    t: Tongue,
    token: &str,
    request: &Request,
    known: &Known,
    bank_account: &str,
    wrong: Option<&str>,
) -> Response {
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let opening = matches!(request.ask, Ask::OpenAccount { .. });
    let line = |name: &str, value: &str| html! { dt { (name) } dd.long { (value) } };
    let sum = t.say("Amount", "金额");
    let (title, what) = match &request.ask {
        Ask::OpenAccount { name, .. } => (
            t.say("Open your cash account", "开立您的资金账户"),
            html! { dl { (line(t.say("Name", "姓名"), name)) } p { (t.say("It is in your own name. The platform can see it and cannot move it.", "账户以您本人的名义开立。平台可以查看，但不能动用其中的资金。")) } },
        ),
        Ask::TopUp { currency, amount: a, .. } => (
            t.say("Pay into your cash account", "向您的资金账户充值"),
            html! { dl { (line(sum, &amount(*a, currency))) } p { (t.say("In the sandbox the payment from your bank always succeeds.", "在沙箱中，来自您银行的付款总会成功。")) } },
        ),
        Ask::Withdraw { currency, amount: a, .. } => (
            t.say("Withdraw to your own bank", "提现到您自己的银行账户"),
            html! {
                dl {
                    (line(sum, &amount(*a, currency)))
                    (line(t.say("To your bank account", "转入您的银行账户"), &known.bank))
                    (line(t.say("Then available", "转出后可用余额"), &amount((known.available - a).max(0), currency)))
                }
                p { (t.say("It costs nothing; in the sandbox it arrives within moments.", "不收取费用；在沙箱中片刻到账。")) }
            },
        ),
        Ask::Freeze { amount: a, purpose, by_hand, .. } => {
            let title = if *purpose == Scope::Bid {
                t.say("Freeze money for a bid", "为出借冻结资金")
            } else if *by_hand {
                t.say("Pay your loan off", "提前结清借款")
            } else {
                t.say("Pay an instalment", "支付一期还款")
            };
            (
                title,
                html! { dl { (line(sum, &amount(*a, &known.currency))) (line(t.say("Loan", "借款项目"), &known.name)) } p {
                    @if *purpose == Scope::Bid { (t.say("The money stays yours until the loan is paid out.", "放款之前，资金仍归您所有。")) }
                    @else { (t.say("It goes to those who lent to you, each their part.", "款项将按份额分给出借人。")) }
                } },
            )
        }
        Ask::GrantAuthorization { grants, .. } => (
            t.say("What you allow", "您的授权"),
            html! {
                @for grant in grants {
                    dl {
                        (line(t.say("I allow", "我授权"), scope_words(t, grant.scope)))
                        (line(t.say("One order at most", "单笔上限"), &amount(grant.per_order, &grant.currency)))
                        (line(t.say("In all at most", "总额上限"), &amount(grant.total, &grant.currency)))
                        (line(t.say("Until", "有效期至"), &day(t, grant.expires_at)))
                    }
                }
                p { (t.say("You can take this back at any time on your account's page here.", "您可随时在本机构的账户页面撤销授权。")) }
            },
        ),
        _ => (t.say("Confirm", "确认"), html! {}),
    };
    let body = html! {
        (what)
        @if let Some(wrong) = wrong { p.bad role="alert" { (wrong) } }
        form method="post" action={ "/pages/" (token) "?lang=" (t.tag()) } novalidate {
            @if opening {
                label for="bank" { (t.say("Your bank account (IBAN or number)", "您的银行账号（IBAN 或账号）")) }
                input id="bank" name="bank_account" value=(bank_account) autocomplete="off" required minlength="5" maxlength="34";
                label for="password" { (t.say("Choose a payment password (8 characters or more)", "设置支付密码（至少 8 个字符）")) }
                input id="password" type="password" name="password" autocomplete="new-password" required minlength="8";
                label for="again" { (t.say("The payment password once more", "再次输入支付密码")) }
                input id="again" type="password" name="password_again" autocomplete="new-password" required minlength="8";
                p.bank { (t.say("Keep it: you confirm each movement of your money with it, and the platform cannot give you a new one.", "请牢记：每次动用资金都须以此密码确认，平台无法为您重设。")) }
            } @else {
                label for="password" { (t.say("Payment password", "支付密码")) }
                input id="password" type="password" name="password" autocomplete="current-password" autofocus required;
            }
            button name="decision" value="confirm" { (t.say("Confirm", "确认")) }
            button.no name="decision" value="refuse" { (t.say("Refuse", "拒绝")) }
        }
    };
    page(bank, t, status, title, body)
}

async fn show(t: Tongue, State(bank): State<Arc<Bank>>, Path(token): Path<String>) -> Response {
    match waiting(&bank, &token).await {
        Ok(Some(request)) => form(&bank, t, &token, &request, "", None).await,
        Ok(None) => over(&bank, t),
        Err(e) => broken(&bank, t, &e),
    }
}

#[derive(Deserialize)]
struct Answer {
    decision: String,
    #[serde(default)]
    password: String,
    /// As typed a second time, where a password is chosen.
    password_again: Option<String>,
    #[serde(default)]
    bank_account: String,
}

/// Why a page is not done.
enum Wrong {
    Mend(Said),
    /// And how many more before the account is locked.
    Password {
        left: i64,
    },
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
                said("There is not enough money in your cash account.", "您的资金账户余额不足。")
            }
            Refusal::Code("PROJECT_FULL") => {
                said("This loan has been filled meanwhile.", "此借款在此期间已满标。")
            }
            Refusal::Code(code) => said(
                &format!("We cannot do this ({code}). Nothing was moved."),
                &format!("无法办理（{code}）。没有动用任何资金。"),
            ),
            Refusal::Broken(e) => Wrong::Broken(e),
        }
    }
}

async fn answer(
    t: Tongue,
    State(bank): State<Arc<Bank>>,
    Path(token): Path<String>,
    Form(answer): Form<Answer>,
) -> Response {
    let request = match waiting(&bank, &token).await {
        Ok(Some(request)) => request,
        Ok(None) => return over(&bank, t),
        Err(e) => return broken(&bank, t, &e),
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
            Ok(false) => return over(&bank, t),
            Err(e) => return broken(&bank, t, &e),
        }
        let body = html! { p { (t.say("You refused. Nothing was moved.", "您已拒绝。没有动用任何资金。")) } (back_with(&bank, t, "refused")) };
        return page(&bank, t, StatusCode::OK, t.say("Refused", "已拒绝"), body);
    }
    match confirm(&bank, &token, &request, &answer).await {
        Ok(()) => {
            let no = match number_of(&bank, &request).await {
                Ok(no) => no,
                Err(e) => return broken(&bank, t, &e),
            };
            let body = html! {
                p { (t.say("Done. The platform has been told.", "已完成，并已通知平台。")) }
                (back_with(&bank, t, "confirmed"))
                p { a href={ "/account?no=" (no) "&lang=" (t.tag()) } { (t.say("See your account here", "在本机构查看您的账户")) } }
            };
            page(&bank, t, StatusCode::OK, t.say("Confirmed", "已确认"), body)
        }
        Err(Wrong::Mend(why)) => {
            form(&bank, t, &token, &request, &answer.bank_account, Some(t.say(&why.english, &why.chinese)))
                .await
        }
        Err(Wrong::Password { left }) => {
            let why = wrong_password(t, left);
            form(&bank, t, &token, &request, &answer.bank_account, Some(&why)).await
        }
        Err(Wrong::Over) => over(&bank, t),
        Err(Wrong::Broken(e)) => broken(&bank, t, &e),
    }
}

/// The number of the account that an order is about.
async fn number_of(bank: &Bank, request: &Request) -> Result<String, DbErr> {
    let user_no = request.ask.user_no().unwrap_or_default().to_string();
    let row = store::one(bank.db(), "SELECT no FROM account WHERE user_no = $1", [user_no.into()]).await?;
    row.map_or(Ok(String::new()), |r| r.try_get_by_index(0))
}

/// Whether a bank account can be paid to: what begins as an IBAN does must be one (ISO 13616, its check digits by ISO 7064).
fn is_bank_account(typed: &str) -> bool {
    let plain: String =
        typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_uppercase();
    let bytes = plain.as_bytes();
    if bytes.len() < 5 || bytes.len() > 34 || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let as_iban = bytes[..2].iter().all(u8::is_ascii_uppercase) && bytes[2..4].iter().all(u8::is_ascii_digit);
    if !as_iban {
        // Elsewhere account numbers are digits; a name or a word is none.
        return bytes.iter().all(u8::is_ascii_digit);
    }
    let turned = bytes[4..].iter().chain(&bytes[..4]);
    let rest = turned.fold(0u32, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    bytes.len() >= 15 && rest == 1
}

/// To somebody whose account it is known to be.
fn wrong_password(t: Tongue, left: i64) -> String {
    let mut words = t
        .say(
            "The payment password is wrong. It is the one you chose here, not the platform's.",
            "支付密码不正确。请输入您在本机构设置的支付密码，而非平台密码。",
        )
        .to_owned();
    if left <= 2 {
        words += &match t {
            English if left <= 0 => " It was wrong too often: the account is locked. Please call us.".into(),
            Chinese if left <= 0 => "错误次数过多，账户已锁定，请致电我们。".into(),
            English => format!(" After {left} more the account is locked until you call us."),
            Chinese => format!("再错 {left} 次账户将被锁定，须致电我们解锁。"),
        };
    }
    words
}

async fn confirm(bank: &Arc<Bank>, token: &str, request: &Request, answer: &Answer) -> Result<(), Wrong> {
    // Hashing takes its time; it is done before anybody has to wait in the queue.
    let opening = match &request.ask {
        Ask::OpenAccount { user_no, name } => {
            if !is_bank_account(&answer.bank_account) {
                return Err(said(
                    "This is no bank account. Please check it: an IBAN begins with two letters and two check digits, any other number has digits alone.",
                    "银行账号有误，请核对。IBAN 以两个字母和两位校验码开头，其他账号只含数字。",
                ));
            }
            if answer.password.chars().count() < 8 {
                return Err(said(
                    "The payment password needs at least 8 characters.",
                    "支付密码至少需要 8 个字符。",
                ));
            }
            if answer.password_again.as_ref().is_some_and(|again| *again != answer.password) {
                return Err(said(
                    "The two payment passwords differ. Please type the same one twice.",
                    "两次输入的支付密码不一致，请重新输入。",
                ));
            }
            Some((user_no.clone(), name.clone(), hash(bank, answer.password.clone()).await?))
        }
        // Nothing is no guess.
        _ if answer.password.is_empty() => {
            return Err(said("Please type your payment password.", "请输入支付密码。"));
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
                return Err(said("There is an account in this name already.", "此名下已有账户。"));
            }
            "SUCCESS"
        } else {
            bank.do_or_put_off(&*tx, request, true).await?;
            return Ok(());
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
        "SELECT no, password FROM account WHERE user_no = $1 OR no = $1",
        [user_no.into()],
    )
    .await?;
    let Some(row) = row else {
        return Err(Wrong::Password { left: WRONG_MAX });
    };
    let (no, stored): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    // Counted as wrong before it is looked at: of many that come at once no more are looked at than of one after the other.
    let sql = "UPDATE account SET wrong = wrong + 1 WHERE no = $1 AND wrong < $2 RETURNING wrong";
    let Some(row) = store::one(bank.db(), sql, [no.clone().into(), WRONG_MAX.into()]).await? else {
        return Err(said(
            "The payment password was wrong too often. Please call us.",
            "支付密码错误次数过多，请致电我们。",
        ));
    };
    let wrong: i64 = row.try_get_by_index(0)?;
    let right = tokio::task::spawn_blocking(move || {
        PasswordHash::new(&stored).is_ok_and(|h| argon().verify_password(given.as_bytes(), &h).is_ok())
    });
    if right.await.unwrap_or(false) {
        store::run(bank.db(), "UPDATE account SET wrong = 0 WHERE no = $1", [no.clone().into()]).await?;
        Ok(no)
    } else {
        Err(Wrong::Password { left: WRONG_MAX - wrong })
    }
}

fn sign_in(bank: &Bank, t: Tongue, no: &str, wrong: Option<&Said>) -> Response {
    let body = html! {
        @if let Some(wrong) = wrong { p.bad role="alert" { (t.say(&wrong.english, &wrong.chinese)) } }
        form method="post" action={ "/account?lang=" (t.tag()) } {
            label for="account" { (t.say("Account number", "账户号")) }
            input id="account" name="account" value=(no) required;
            label for="password" { (t.say("Payment password", "支付密码")) }
            input id="password" type="password" name="password" required;
            button { (t.say("Show", "查看")) }
        }
        p { (t.say("The account number stands on the platform's page “Cash account”.", "账户号见平台的“资金账户”页面。")) }
        (back(bank, t))
    };
    page(
        bank,
        t,
        if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK },
        t.say("Your cash account", "您的资金账户"),
        body,
    )
}

fn neither() -> Said {
    Said {
        english: "The account or the password is wrong.".into(), chinese: "账号或密码不正确。".into()
    }
}

/// Whose page it is, when a link says so.
#[derive(Deserialize)]
struct Whose {
    #[serde(default)]
    no: String,
}

async fn account_form(t: Tongue, State(bank): State<Arc<Bank>>, Query(whose): Query<Whose>) -> Response {
    sign_in(&bank, t, &whose.no, None)
}

#[derive(Deserialize)]
struct Account {
    account: String,
    password: String,
    #[serde(default)]
    consent: String,
}

async fn account_show(t: Tongue, State(bank): State<Arc<Bank>>, Form(form): Form<Account>) -> Response {
    match account_body(&bank, t, &form).await {
        Ok(body) => page(&bank, t, StatusCode::OK, t.say("Your cash account", "您的资金账户"), body),
        Err(Wrong::Mend(why)) => sign_in(&bank, t, &form.account, Some(&why)),
        // Nobody learns here which accounts there are.
        Err(Wrong::Password { .. }) => sign_in(&bank, t, &form.account, Some(&neither())),
        Err(Wrong::Over) => over(&bank, t),
        Err(Wrong::Broken(e)) => broken(&bank, t, &e),
    }
}

async fn account_body(bank: &Bank, t: Tongue, form: &Account) -> Result<Markup, Wrong> {
    let no = password(bank, &form.account, form.password.clone()).await?;
    let balances = store::all(
        bank.db(),
        "SELECT currency, available, frozen, blocked, payout FROM balance WHERE account = $1",
        [no.clone().into()],
    )
    .await?;
    let sql = "SELECT no, scope, currency, per_order, total, used FROM consent WHERE account = $1 AND state = 'ACTIVE' ORDER BY scope";
    let consents = store::all(bank.db(), sql, [no.clone().into()]).await?;
    let sql = "SELECT kind, source, target, amount, currency, business_date, source_bucket, target_bucket FROM movement
               WHERE source = $1 OR target = $1 ORDER BY number DESC LIMIT 20";
    let mut movements = Vec::new();
    for m in store::all(bank.db(), sql, [no.clone().into()]).await? {
        let (kind, source, target): (String, String, String) =
            (m.try_get_by_index(0)?, m.try_get_by_index(1)?, m.try_get_by_index(2)?);
        let sum = amount(m.try_get_by_index(3)?, &m.try_get_by_index::<String>(4)?);
        let (from, to): (String, String) = (m.try_get_by_index(6)?, m.try_get_by_index(7)?);
        let sign = match (source == no, target == no) {
            (true, true) if from == "WORLD" => "+",
            (true, true) if to == "WORLD" => "−",
            (true, true) => "",
            (true, false) => "−",
            _ => "+",
        };
        let day: String = m.try_get_by_index(5)?;
        let day = day.parse().map_or(day, |d| written(t, d));
        movements.push((day, kind_words(t, &kind), format!("{sign}{sum}")));
    }
    let name = store::one(bank.db(), "SELECT name FROM account WHERE no = $1", [no.clone().into()]).await?;
    let name: String = name.map_or(Ok(String::new()), |r| r.try_get_by_index(0))?;
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
        let scope: String = c.try_get_by_index(1)?;
        let scope = Scope::from_code(&scope).map_or(scope.as_str(), |s| scope_words(t, s));
        let (per_order, used, total) =
            (amount(per_order, &currency), amount(used, &currency), amount(total, &currency));
        let words = match t {
            English => format!("{scope}: {per_order} an order, {used} of {total} used"),
            Chinese => format!("{scope}：单笔上限 {per_order}，总额 {total}，已用 {used}"),
        };
        allowed.push((c.try_get_by_index::<String>(0)?, words));
    }
    Ok(html! {
        dl { dt { (t.say("Name", "姓名")) } dd.long { (name) } dt { (t.say("Account number", "账户号")) } dd { (no) } }
        @if lines.is_empty() { p { (t.say("There is no money in it yet.", "账户中还没有资金。")) } }
        @for (available, frozen, blocked) in lines {
            dl { dt { (t.say("Available", "可用")) } dd { (available) } dt { (t.say("Frozen", "冻结")) } dd { (frozen) } dt { (t.say("Blocked", "止付")) } dd { (blocked) } }
        }
        p.bank { (t.say("Frozen: set aside for an order of yours, and still yours. Blocked: a loan that is being paid out to you, until all of it is here.", "冻结：为您的指令预留，仍归您所有。止付：正在向您发放的借款，全部到账后可用。")) }
        @if !movements.is_empty() {
            h1 { (t.say("The last movements", "最近流水")) }
            dl { @for (day, what, sum) in movements { dt { (day) " " (what) } dd { (sum) } } }
        }
        h1 { (t.say("What you allow", "您的授权")) }
        @if allowed.is_empty() { p { (t.say("Nothing: each order asks you first.", "没有授权：每笔指令都会先请您确认。")) } }
        @for (no, words) in allowed {
            form method="post" action={ "/account/revoke?lang=" (t.tag()) } {
                p { (words) }
                input type="hidden" name="account" value=(form.account);
                input type="hidden" name="consent" value=(no);
                label { (t.say("Payment password", "支付密码")) input type="password" name="password" required; }
                button.no { (t.say("Take it back", "撤销")) }
            }
        }
        (back(bank, t))
    })
}

async fn revoke(t: Tongue, State(bank): State<Arc<Bank>>, Form(form): Form<Account>) -> Response {
    let revoked = async {
        let no = password(&bank, &form.account, form.password.clone()).await?;
        let sql = "UPDATE consent SET state = 'REVOKED' WHERE no = $1 AND account = $2 AND state = 'ACTIVE'";
        store::run(bank.db(), sql, [form.consent.clone().into(), no.into()]).await?;
        Ok::<(), Wrong>(())
    };
    match revoked.await {
        Ok(()) => page(
            &bank,
            t,
            StatusCode::OK,
            t.say("Taken back", "已撤销"),
            html! { p { (t.say("From now on each order of this kind asks you first.", "今后此类指令都会先请您确认。")) } (back(&bank, t)) p { a href={ "/account?no=" (form.account) "&lang=" (t.tag()) } { (t.say("Your account", "您的账户")) } } },
        ),
        Err(Wrong::Mend(why)) => sign_in(&bank, t, &form.account, Some(&why)),
        // Nobody learns here which accounts there are.
        Err(Wrong::Password { .. }) => sign_in(&bank, t, &form.account, Some(&neither())),
        Err(Wrong::Over) => over(&bank, t),
        Err(Wrong::Broken(e)) => broken(&bank, t, &e),
    }
}
