//! What messages say. Each is a subject and a plain text, in the language its reader chose.

use chrono::{DateTime, Utc};
use finance::Money;
use identity_api::{Language, LetterKind, LetterView};
use notification_api::NoticeKind;

/// How long from now, and until when: nobody should have to know what their clock has to do with UTC.
fn until(end: DateTime<Utc>, now: DateTime<Utc>, language: Language) -> String {
    let minutes = (end - now).num_minutes().max(0);
    let hours = (minutes + 30) / 60;
    let form = if language == Language::Chinese {
        "%Y年%-m月%-d日 %H:%M（UTC）"
    } else {
        "%-d %B %Y, %H:%M UTC"
    };
    let at = end.format(form);
    match language {
        Language::English if hours >= 48 => format!("for {} days, until {at}", (hours + 12) / 24),
        Language::English if hours > 1 => format!("for {hours} hours, until {at}"),
        Language::English if hours == 1 => format!("for an hour, until {at}"),
        Language::English => format!("for {minutes} minutes, until {at}"),
        Language::Chinese if hours >= 48 => format!("{} 天内有效，至 {at} 止", (hours + 12) / 24),
        Language::Chinese if hours > 1 => format!("{hours} 小时内有效，至 {at} 止"),
        Language::Chinese if hours == 1 => format!("1 小时内有效，至 {at} 止"),
        Language::Chinese => format!("{minutes} 分钟内有效，至 {at} 止"),
    }
}

/// A letter: its link is the only one of all messages by which anything can be done.
pub fn letter(letter: &LetterView, origin: &str, now: DateTime<Utc>) -> (String, String) {
    let (secret, end) = (&letter.secret.0, until(letter.expires_at, now, letter.language));
    let body = |subject: &str, text: String| (subject.to_string(), text);
    match (letter.language, letter.kind) {
        (Language::English, LetterKind::Confirm) => body(
            "Confirm your address",
            format!(
                "Hello {},\n\nopen this page to show that this address is yours:\n\n{origin}/confirm/{secret}\n\nThe link \
                 works {end}. If you did not register with Counterfoil, nothing needs to be done.\n",
                letter.name
            ),
        ),
        (Language::English, LetterKind::Reset) => body(
            "Choose a new password",
            format!(
                "Hello {},\n\nsomebody, probably you, asked for a new password. Choose one here:\n\n{origin}/reset/{secret}\
                 \n\nThe link works once and {end}; then every device is signed out. If it was not you, ignore this: \
                 your password stays as it is.\n",
                letter.name
            ),
        ),
        (Language::English, LetterKind::ResetOfStaff) => body(
            "A new password for staff",
            format!(
                "Hello {},\n\nsomebody, probably you, asked for a new password. Staff do not change theirs by e-mail: two \
                 administrators do it together. Please speak to one of them.\n",
                letter.name
            ),
        ),
        (Language::English, LetterKind::Known) => body(
            "You have an account already",
            format!(
                "Hello {},\n\nsomebody, probably you, tried to register with this address, which has an account. Nothing was \
                 changed. Sign in at {origin}/sign-in, or choose a new password at {origin}/forgotten.\n",
                letter.name
            ),
        ),
        (Language::Chinese, LetterKind::Confirm) => body(
            "请确认您的邮箱",
            format!(
                "{}，您好：\n\n请打开以下页面，确认此邮箱属于您：\n\n{origin}/confirm/{secret}\n\n链接 {end}。如果您没有注册 \
                 Counterfoil，请忽略此邮件。\n",
                letter.name
            ),
        ),
        (Language::Chinese, LetterKind::Reset) => body(
            "设置新密码",
            format!(
                "{}，您好：\n\n有人（可能是您本人）申请设置新密码，请在此设置：\n\n{origin}/reset/{secret}\n\n链接只能使用一次，\
                 {end}；设置后所有设备都会退出登录。如非本人操作，请忽略此邮件，您的密码不会改变。\n",
                letter.name
            ),
        ),
        (Language::Chinese, LetterKind::ResetOfStaff) => body(
            "员工密码",
            format!(
                "{}，您好：\n\n有人（可能是您本人）申请设置新密码。员工密码不通过邮件更改，须由两位管理员共同办理，请联系其中一位。\n",
                letter.name
            ),
        ),
        (Language::Chinese, LetterKind::Known) => body(
            "您已有账户",
            format!(
                "{}，您好：\n\n有人（可能是您本人）用此邮箱注册，但该邮箱已有账户，没有任何改变。请在 {origin}/sign-in 登录，或在 \
                 {origin}/forgotten 设置新密码。\n",
                letter.name
            ),
        ),
    }
}

/// What a notice says.
pub struct Said {
    pub kind: NoticeKind,
    pub amount: Option<Money>,
    /// What the loan is for, as its borrower wrote it; empty where it is about none.
    pub about: String,
}

/// A notice that also comes by e-mail. It leads to the app and lets nobody act.
pub fn notice(what: &Said, name: &str, language: Language, origin: &str) -> (String, String) {
    let (kind, sum) = (what.kind, what.amount.map_or_else(String::new, |a| a.to_string()));
    let about = match (what.about.as_str(), language) {
        ("", _) => String::new(),
        (about, Language::English) => format!("\nLoan: {about}\n"),
        (about, Language::Chinese) => format!("\n借款：{about}\n"),
    };
    match language {
        Language::English => {
            let said = english(kind, &sum);
            let next = english_next(kind);
            let text = format!(
                "Hello {name},\n\n{said}{next}\n{about}\nSign in to see more: {origin}/notices\n\nYou decide under Account whether such \
                 messages come by e-mail. We never ask for your password.\n"
            );
            (said.trim_end_matches('.').to_string(), text)
        }
        Language::Chinese => {
            let said = chinese(kind, &sum);
            let next = chinese_next(kind);
            let text = format!(
                "{name}，您好：\n\n{said}{next}\n{about}\n登录查看详情：{origin}/notices\n\n您可在“账户”中选择是否接收此类邮件。我们绝不会索要您的密码。\n"
            );
            (said.trim_end_matches('。').to_string(), text)
        }
    }
}

fn english(kind: NoticeKind, sum: &str) -> String {
    use NoticeKind as K;
    match kind {
        K::BidRefused => format!("The custodian did not freeze your bid of {sum}."),
        K::BidReleased => format!("Your bid of {sum} is free again."),
        K::BidLent => format!("Your {sum} are lent."),
        K::PaymentReceived => format!("You received {sum}."),
        K::NoteOverdue => format!("A loan in which you have {sum} is overdue."),
        K::ApplicationApproved => format!("Your application for {sum} is on the marketplace."),
        K::ApplicationDeclined => format!("Your application for {sum} was declined."),
        K::ListingFilled => format!("Your loan of {sum} is fully funded."),
        K::ListingExpired => format!("Your loan of {sum} was not funded in time."),
        K::ListingCancelled => format!("The listing of your loan of {sum} was cancelled."),
        K::LoanPaidOut => format!("Your loan of {sum} has been paid out."),
        K::LoanUndone => format!("Your loan of {sum} could not be paid out and has ended."),
        K::RepaymentTaken => format!("Your repayment of {sum} has been passed on."),
        K::RepaymentFailed => format!("Your repayment of {sum} did not go through."),
        K::LoanOverdue => "A payment of your loan is overdue.".into(),
        K::LoanClosed => format!("Your loan of {sum} is repaid."),
        K::TopUpArrived => format!("Your {sum} have arrived."),
        K::WithdrawalPaid => format!("Your withdrawal of {sum} has been paid out."),
        K::WithdrawalFailed => format!("Your withdrawal of {sum} did not go through."),
        K::AccountBlocked => {
            format!(
                "A movement of {sum} in your cash account is being looked into; until then no money leaves it."
            )
        }
        K::AccountFree => "Your account is free again.".into(),
        K::PasswordChanged => "Your password was changed.".into(),
        K::FactorAdded => "From now on a code is asked for when you sign in.".into(),
        K::FactorRemoved => "A code is no longer asked for when you sign in.".into(),
        K::ClientCreated => "A program may now read for you.".into(),
        K::RecoveryCodeUsed => {
            "One of your recovery codes was used. If it was not you, change your password now.".into()
        }
        K::TaskApproved => "A task that you approved was approved by a second person.".into(),
        K::TaskRefused => "A task that you approved was refused by a second person.".into(),
    }
}

/// Why, as far as it may be said in a letter, and what there is to do.
fn english_next(kind: NoticeKind) -> &'static str {
    use NoticeKind as K;
    match kind {
        K::BidRefused => " Nothing was lent and the money is free; you may bid again.",
        K::ApplicationDeclined => {
            " Two people have looked at it; their reasons stay with the application. You may ask again when your figures have changed."
        }
        K::ListingExpired | K::ListingCancelled => " Nothing is owed. You may ask again.",
        K::LoanUndone => " Nothing is owed: every lender has their money back.",
        K::RepaymentFailed => {
            " Please see that enough money is in your cash account; it is tried again each day, and you can pay by hand under My loans."
        }
        K::LoanOverdue => " Please pay it under My loans, or bring money into your cash account.",
        K::WithdrawalFailed => {
            " The money is in your cash account again. Please check your bank account there."
        }
        K::NoteOverdue => " The borrower has been reminded; nothing is asked of you.",
        _ => "",
    }
}

fn chinese_next(kind: NoticeKind) -> &'static str {
    use NoticeKind as K;
    match kind {
        K::BidRefused => "资金未被出借，仍可使用；您可以再次出借。",
        K::ApplicationDeclined => "申请已由两人审核，理由随申请保存。情况变化后可再次申请。",
        K::ListingExpired | K::ListingCancelled => "您无需偿还任何款项，可再次申请。",
        K::LoanUndone => "您无需偿还任何款项，出借人的资金均已退回。",
        K::RepaymentFailed => "请确保资金账户余额充足；系统每日重试，您也可在“我的借款”中手动还款。",
        K::LoanOverdue => "请在“我的借款”中还款，或向资金账户充值。",
        K::WithdrawalFailed => "资金已回到您的资金账户，请核对您的银行账号。",
        K::NoteOverdue => "已提醒借款人，您无需操作。",
        _ => "",
    }
}

fn chinese(kind: NoticeKind, sum: &str) -> String {
    use NoticeKind as K;
    match kind {
        K::BidRefused => format!("存管机构未能冻结您 {sum} 的出借资金。"),
        K::BidReleased => format!("您 {sum} 的出借资金已解冻。"),
        K::BidLent => format!("您的 {sum} 已借出。"),
        K::PaymentReceived => format!("您收到 {sum}。"),
        K::NoteOverdue => format!("您持有 {sum} 份额的一笔借款已逾期。"),
        K::ApplicationApproved => format!("您 {sum} 的申请已在借款市场发布。"),
        K::ApplicationDeclined => format!("您 {sum} 的申请未获批准。"),
        K::ListingFilled => format!("您 {sum} 的借款已募满。"),
        K::ListingExpired => format!("您 {sum} 的借款未能按期募满。"),
        K::ListingCancelled => format!("您 {sum} 的借款标的已取消。"),
        K::LoanPaidOut => format!("您 {sum} 的借款已放款。"),
        K::LoanUndone => format!("您 {sum} 的借款无法放款，已终止。"),
        K::RepaymentTaken => format!("您 {sum} 的还款已支付给出借人。"),
        K::RepaymentFailed => format!("您 {sum} 的还款未成功。"),
        K::LoanOverdue => "您的借款有一期已逾期。".into(),
        K::LoanClosed => format!("您 {sum} 的借款已还清。"),
        K::TopUpArrived => format!("您充值的 {sum} 已到账。"),
        K::WithdrawalPaid => format!("您提现的 {sum} 已付出。"),
        K::WithdrawalFailed => format!("您 {sum} 的提现未成功。"),
        K::AccountBlocked => format!("您的存管账户中一笔 {sum} 的变动正在核查，在此之前资金不能转出。"),
        K::AccountFree => "您的账户已恢复正常。".into(),
        K::PasswordChanged => "您的密码已更改。".into(),
        K::FactorAdded => "今后登录时需要输入验证码。".into(),
        K::FactorRemoved => "今后登录时不再需要验证码。".into(),
        K::ClientCreated => "现在有一个程序可以代您读取数据。".into(),
        K::RecoveryCodeUsed => "您的一个恢复码已被使用。如非本人操作，请立即更改密码。".into(),
        K::TaskApproved => "您参与审批的一项任务已通过。".into(),
        K::TaskRefused => "您参与审批的一项任务未通过。".into(),
    }
}
