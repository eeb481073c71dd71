//! A mail server that keeps what it is sent.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// The messages that were taken, as they were sent.
pub type Taken = Arc<Mutex<Vec<String>>>;

/// A mail server of one's own: takes what comes, or refuses the first message.
///
/// # Errors
/// When no port is free.
pub async fn server(refuse_first: bool) -> anyhow::Result<(String, Taken)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("smtp://{}", listener.local_addr()?);
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = taken.clone();
    tokio::spawn(async move {
        let mut refuse = refuse_first;
        while let Ok((socket, _)) = listener.accept().await {
            let (read, mut write) = socket.into_split();
            let mut lines = BufReader::new(read).lines();
            write.write_all(b"220 mail.test\r\n").await.ok();
            let mut data: Option<String> = None;
            while let Ok(Some(line)) = lines.next_line().await {
                let answer: &[u8] = match (&mut data, line.as_str()) {
                    (Some(text), ".") => {
                        kept.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(text));
                        data = None;
                        b"250 taken\r\n"
                    }
                    (Some(text), line) => {
                        text.push_str(line);
                        text.push('\n');
                        continue;
                    }
                    (None, "DATA") => {
                        data = Some(String::new());
                        b"354 go on\r\n"
                    }
                    (None, line) if line.starts_with("MAIL") && refuse => {
                        refuse = false;
                        b"451 later\r\n"
                    }
                    (None, "QUIT") => b"221 bye\r\n",
                    (None, _) => b"250 ok\r\n",
                };
                if write.write_all(answer).await.is_err() {
                    break;
                }
            }
        }
    });
    Ok((url, taken))
}

/// The path of the link in the newest message to an address that has one below `path`, once it has come.
///
/// # Errors
/// When none comes within ten seconds.
pub async fn link(taken: &Taken, to: &str, path: &str) -> anyhow::Result<String> {
    for _ in 0..100 {
        let all = taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for message in all.iter().rev().filter(|m| m.contains(&format!("<{to}>"))) {
            // As written for transport: long lines are broken with a sign at their end.
            let text = message.replace("=\n", "").replace("=3D", "=");
            if let Some((_, rest)) = text.split_once(&format!("{path}/")) {
                let secret = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
                return Ok(format!("{path}/{secret}"));
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    anyhow::bail!("no letter to {to} with a link below {path}")
}
