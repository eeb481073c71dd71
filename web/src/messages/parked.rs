//! What may be parked, by its kind in the API, in words. Its own file: only the staff's build of the app has it.

use super::{Language, language};

/// The words for a kind of event or job, or nothing for one that is not known here.
pub fn parked_kind(kind: &str) -> Option<&'static str> {
    let (english, chinese) = match kind {
        "ApplicationSubmitted" => ("An application came in", "收到借款申请"),
        "LoanApproved" => ("A loan was approved", "借款获批"),
        "ApplicationDeclined" => ("An application was declined", "申请被拒绝"),
        "ApplicationWithdrawn" => ("An application was withdrawn", "申请被撤回"),
        "RateProposed" => ("A rate was proposed", "提出利率"),
        "LoanContracted" => ("A loan was agreed", "借款成立"),
        "LoanDisbursed" => ("A loan was paid out", "借款已放款"),
        "RepaymentBegun" => ("A repayment began", "还款开始"),
        "RepaymentDistributed" => ("A repayment was shared out", "还款已分配"),
        "RepaymentSettled" => ("A repayment was made", "还款完成"),
        "RepaymentFailed" => ("A repayment failed", "还款失败"),
        "LoanOverdue" => ("A loan became overdue", "借款逾期"),
        "LoanClosed" => ("A loan was repaid", "借款结清"),
        "ListingOpened" => ("A listing opened", "标的开放"),
        "BidFrozen" => ("Money was frozen for a bid", "投标资金已冻结"),
        "BidReleased" => ("A bid was released", "投标已解冻"),
        "BidEnded" => ("A bid ended", "投标结束"),
        "BidRefused" => ("A bid was refused", "投标被拒绝"),
        "ListingFilled" => ("A listing was filled", "标的满额"),
        "ListingExpired" => ("A listing ran out", "标的到期"),
        "ListingCancelled" => ("A listing was cancelled", "标的取消"),
        "DisbursementDecided" => ("A payout was decided", "放款已决定"),
        "ListingDisbursed" => ("A listing was paid out", "标的已放款"),
        "TaskOpened" => ("A task was opened", "任务开启"),
        "Approved" => ("Two people approved", "两人批准"),
        "Refused" => ("A task was refused", "任务被拒绝"),
        "Proposed" => ("One person approved", "一人批准"),
        "DayClosed" => ("A day was closed", "日终完成"),
        "InstructionSettled" => ("An order was carried out", "指令已执行"),
        "InstructionFailed" => ("An order failed", "指令失败"),
        "MovementMirrored" => ("A movement was entered", "流水已入账"),
        "CashAccountOpened" => ("A cash account was opened", "资金账户已开立"),
        "close" => ("The close of a day", "日终处理"),
        "repayment" => ("Collecting an instalment", "收取还款"),
        "instruction" => ("Watching over an order", "跟踪指令"),
        "attempt" => ("Repeating an order", "重试指令"),
        "bid" => ("Watching over a bid", "跟踪投标"),
        "notice" => ("Telling somebody", "发送通知"),
        "letter" => ("Sending a letter", "发送信件"),
        _ => return None,
    };
    Some(match language() {
        Language::English => english,
        Language::Chinese => chinese,
    })
}
