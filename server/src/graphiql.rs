//! GraphiQL, in a demo: its own files as published, and a page of ours around them.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::path::Path;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

const PAGE: &str = r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>GraphiQL · Counterfoil demo</title>
    <link rel="stylesheet" href="/graphiql/lib/graphiql.min.css">
    <link rel="stylesheet" href="/graphiql/page.css">
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
  </head>
  <body>
    <div id="graphiql">Loading…</div>
    <script src="/graphiql/lib/react.production.min.js"></script>
    <script src="/graphiql/lib/react-dom.production.min.js"></script>
    <script src="/graphiql/lib/graphiql.min.js"></script>
    <script src="/graphiql/page.js"></script>
  </body>
</html>
"#;

const STYLE: &str = "html, body, #graphiql { height: 100%; margin: 0; }";

const SCRIPT: &str = r##"const socket = location.origin.replace(/^http/, "ws") + "/graphql";
const fetcher = GraphiQL.createFetcher({ url: "/graphql", subscriptionUrl: socket });
const welcome = `# Counterfoil's demo. Everything public needs nobody:
query Marketplace {
  listings(status: OPEN, first: 10) {
    nodes { id purpose amount { amount currency } funded { amount } progress rate termMonths }
  }
}

# For the rest, sign in and put the token into the headers below:
# { "Authorization": "Bearer …" }
mutation SignIn {
  sessionOpen(input: { email: "ines@demo.test", password: "counterfoil-demo" }) {
    session { accessToken accessExpiresAt party { name roles } }
    errors { code message }
  }
}

query Mine {
  viewer {
    accounts { currency available { amount } frozen { amount } }
    portfolio { invested { amount currency } interestReceived { amount } xirr }
  }
}
`;
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery: welcome, defaultEditorToolsVisibility: "headers" }),
);
"##;

/// Nothing from elsewhere, and no inline scripts; the editor writes inline styles.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and the published files of `dir`.
pub fn router(dir: &Path) -> Router {
    let kind = |kind: &'static str, body: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind)], body).into_response() })
    };
    Router::new()
        .route("/graphiql", get(|| async { axum::response::Redirect::permanent("/graphiql/") }))
        .route("/graphiql/", kind("text/html; charset=utf-8", PAGE))
        .route("/graphiql/page.js", kind("text/javascript; charset=utf-8", SCRIPT))
        .route("/graphiql/page.css", kind("text/css; charset=utf-8", STYLE))
        .nest_service("/graphiql/lib", ServeDir::new(dir))
        .layer(SetResponseHeaderLayer::overriding(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        ))
}
