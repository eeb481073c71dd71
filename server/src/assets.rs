//! The built app: served precompressed, hashed names for ever, everything else checked each time.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tower_http::services::ServeDir;

/// Files worth compressing; pictures and fonts are so already.
const COMPRESSIBLE: [&str; 6] = ["wasm", "js", "css", "html", "svg", "json"];

/// The builds of the app beside the one that everybody begins with: the folder of each, which its own files have as their
/// address too, and the first part of its pages' addresses.
const BUILDS: [(&str, &[&str]); 2] = [
    ("staff", &["staff"]),
    ("borrower", &["borrow", "loans", "account", "reset", "confirm", "mailbox", "terms"]),
];

/// The folders of a built app's builds: what everybody begins with, and then as in [`BUILDS`].
pub fn builds(app: &Path) -> impl Iterator<Item = PathBuf> {
    std::iter::once(app.to_path_buf()).chain(BUILDS.iter().map(|(folder, _)| app.join(folder)))
}

/// Writes a brotli twin beside each file of a build. Answers (files, bytes raw, bytes compressed).
///
/// # Errors
/// When a file cannot be read or written.
pub fn precompress(dir: &Path) -> std::io::Result<(usize, u64, u64)> {
    let mut sum = (0, 0, 0);
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if !path.is_file() || !COMPRESSIBLE.contains(&extension) {
            continue;
        }
        let raw = std::fs::read(&path)?;
        let mut packed = Vec::new();
        {
            let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, 11, 22);
            writer.write_all(&raw)?;
        }
        std::fs::write(format!("{}.br", path.display()), &packed)?;
        sum = (sum.0 + 1, sum.1 + raw.len() as u64, sum.2 + packed.len() as u64);
    }
    Ok(sum)
}

/// The app's routes, or a page that says how to build it.
pub fn router(app: Option<&Path>) -> Router {
    let Some(dir) = app else {
        return Router::new().fallback(|| async {
            (StatusCode::NOT_FOUND, "The app was not built. Start with `cargo xtask run`, or set `app`.")
        });
    };
    let builds = Arc::new(Builds(builds(dir).map(|build| Index::read(&build)).collect()));
    Router::new()
        .fallback_service(ServeDir::new(dir).precompressed_br().append_index_html_on_directories(false))
        .layer(middleware::from_fn(move |request, next| spa(builds.clone(), request, next)))
}

/// One code, several builds, so that nobody loads what only others open.
struct Builds(Vec<Index>);

impl Builds {
    fn of(&self, path: &str) -> Option<&Index> {
        self.0.get(which(path)).or(self.0.first())
    }
}

/// The place of a page's build among [`builds`].
fn which(path: &str) -> usize {
    let first = path.split('/').nth(1).unwrap_or_default();
    let of = |(folder, pages): &(&str, &[&str])| *folder == first || pages.contains(&first);
    BUILDS.iter().position(of).map_or(0, |at| at + 1)
}

struct Index {
    path: PathBuf,
    policy: HeaderValue,
}

impl Index {
    /// The content security policy names the hash of Trunk's inline start-up script.
    fn read(dir: &Path) -> Index {
        let path = dir.join("index.html");
        let html = std::fs::read_to_string(&path).unwrap_or_default();
        let hashes: String = inline_scripts(&html)
            .map(|script| {
                let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script));
                format!(" 'sha256-{hash}'")
            })
            .collect();
        let policy = format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'"
        );
        let policy =
            HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
        Index { path, policy }
    }
}

fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (tag, body) = rest.split_once('>')?;
        if tag.contains("src=") { None } else { body.split_once("</script>").map(|(script, _)| script) }
    })
}

async fn spa(builds: Arc<Builds>, request: Request, next: Next) -> Response {
    let get = request.method() == Method::GET || request.method() == Method::HEAD;
    let path = request.uri().path().to_string();
    let wants_html = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let Some(index) = builds.of(&path) else { return next.run(request).await };
    let is_page = path == "/" || path.ends_with("/index.html");
    let mut response = if get && is_page { page(index).await } else { next.run(request).await };
    if response.status() == StatusCode::NOT_FOUND && get && wants_html {
        response = page(index).await;
    }
    let html =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"text/html"));
    let cache = if hashed(&path) && !html { "public, max-age=31536000, immutable" } else { "no-cache" };
    if response.status().is_success() {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    }
    if html {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, index.policy.clone());
    }
    response
}

async fn page(index: &Index) -> Response {
    match tokio::fs::read(&index.path).await {
        Ok(html) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], Body::from(html)).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "The app is being built; try again.").into_response(),
    }
}

/// Trunk puts sixteen hexadecimal digits into the names of what it bundles.
fn hashed(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| {
        name.split(['-', '_', '.'])
            .any(|part| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        assert!(hashed("/counterfoil-web-0123456789abcdef_bg.wasm"));
        assert!(!hashed("/favicon.svg"));
        assert!(!hashed("/"));
    }

    #[test]
    fn each_page_comes_with_its_own_build() {
        let folder = |path| builds(Path::new("app")).nth(which(path)).unwrap_or_default();
        assert_eq!(folder("/"), Path::new("app"));
        assert_eq!(folder("/listings/abc"), Path::new("app"));
        assert_eq!(folder("/staff/queue"), Path::new("app/staff"));
        assert_eq!(folder("/borrow"), Path::new("app/borrower"));
        assert_eq!(folder("/loans/abc"), Path::new("app/borrower"));
        assert_eq!(folder("/borrower/index.html"), Path::new("app/borrower"));
    }

    #[test]
    fn inline_scripts_are_found_and_linked_ones_left() {
        let html = r#"<script src="a.js"></script><script type="module">go()</script>"#;
        assert_eq!(inline_scripts(html).collect::<Vec<_>>(), ["go()"]);
    }
}
