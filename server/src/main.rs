//! The `counterfoil` program.

use anyhow::{Context, anyhow};
use clap::{Parser, Subcommand};
use counterfoil::config::Config;
use counterfoil::embedded::{self, Embedded};
use counterfoil::modules::{House, Pace, Parts, Reach};
use counterfoil::{assets, http, notices, verify};
use custody_api::{Custody, ProveBooks};
use identity_api::{Begin, Identity};
use kernel::call::Service;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::{OsEntropy, SystemClock};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Parser)]
#[command(version, about = "A peer-to-peer lending platform whose two books are proved equal every day")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the platform
    Serve {
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// Folder for the embedded database and keys
        #[arg(long)]
        data: Option<PathBuf>,
        /// Where the sandbox custodian listens
        #[arg(long)]
        custodian_listen: Option<SocketAddr>,
        /// Folder of the built app
        #[arg(long)]
        app: Option<PathBuf>,
        /// Folder of GraphiQL's published files, for a demo
        #[arg(long)]
        graphiql: Option<PathBuf>,
        /// The mail server, as in smtp://host:25; with a password, rather in counterfoil.toml or COUNTERFOIL_SMTP_URL
        #[arg(long)]
        smtp_url: Option<String>,
        /// From whom mail comes
        #[arg(long)]
        mail_from: Option<String>,
        /// A place to try things, never with real money: made-up people with a year of history
        #[arg(long)]
        demo: bool,
    },
    /// Prove that the ledger and the custodian's books are equal; works with everything stopped
    Verify {
        #[arg(long)]
        data: Option<PathBuf>,
        #[arg(long)]
        custodian_listen: Option<SocketAddr>,
        /// Take the custodian's last signed statement and do not ask it
        #[arg(long)]
        offline: bool,
        #[arg(long)]
        json: bool,
    },
    /// Make the demo's year of history in an empty installation
    Seed {
        #[arg(long)]
        data: Option<PathBuf>,
        #[arg(long)]
        listen: Option<SocketAddr>,
        #[arg(long)]
        custodian_listen: Option<SocketAddr>,
    },
    /// Print the API's schema
    Schema,
    /// Write compressed twins beside the files of a built app
    Precompress { dir: PathBuf },
}

fn main() -> anyhow::Result<ExitCode> {
    // Validation of a deep query and a large schema can need more than the default two megabytes of stack.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(8 * 1024 * 1024)
        .build()?;
    let outcome = runtime.block_on(run(Cli::parse().command));
    // All that matters has been stopped in good order by now; what still turns must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    outcome
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { listen, data, custodian_listen, app, graphiql, smtp_url, mail_from, demo } => {
            let config = Config::read(|c| {
                c.listen = listen.unwrap_or(c.listen);
                c.data = data.unwrap_or_else(|| c.data.clone());
                c.custodian_listen = custodian_listen.unwrap_or(c.custodian_listen);
                c.app = app.or_else(|| c.app.take());
                c.graphiql = graphiql.or_else(|| c.graphiql.take());
                c.smtp_url = smtp_url.or_else(|| c.smtp_url.take());
                c.mail_from = mail_from.or_else(|| c.mail_from.take());
                c.demo |= demo;
            })
            .map_err(|why| anyhow!(why))?;
            serve(config).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { data, custodian_listen, offline, json } => {
            let config = Config::read(|c| {
                c.data = data.unwrap_or_else(|| c.data.clone());
                c.custodian_listen = custodian_listen.unwrap_or(c.custodian_listen);
            })
            .map_err(|why| anyhow!(why))?;
            platform::telemetry::log(false, "error");
            let report = match verify::prove(&config, offline).await {
                Ok(report) => report,
                Err(why) => {
                    // Not the same as broken: nothing could be said.
                    eprintln!("the books could not be examined: {why:#}");
                    return Ok(ExitCode::from(2));
                }
            };
            if json {
                println!("{}", serde_json::to_string_pretty(&report)?);
            } else {
                print!("{}", verify::text(&report));
            }
            Ok(ExitCode::from(verify::exit_code(&report)))
        }
        Command::Seed { data, listen, custodian_listen } => {
            let config = Config::read(|c| {
                c.data = data.unwrap_or_else(|| c.data.clone());
                c.listen = listen.unwrap_or(c.listen);
                c.custodian_listen = custodian_listen.unwrap_or(c.custodian_listen);
            })
            .map_err(|why| anyhow!(why))?;
            platform::telemetry::log(false, "error");
            make_demo(&config).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Schema => {
            print!("{}", graphql::sdl());
            Ok(ExitCode::SUCCESS)
        }
        Command::Precompress { dir } => {
            for build in assets::builds(&dir) {
                let (files, raw, packed) =
                    assets::precompress(&build).with_context(|| format!("{}", build.display()))?;
                println!("{}: {files} files, {raw} bytes, {packed} compressed", build.display());
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn make_demo(config: &Config) -> anyhow::Result<()> {
    println!("Making a year of made-up history: twelve months, some 5 minutes on two cores, done once.");
    let start = std::time::Instant::now();
    counterfoil::demo::seed(config, |line| println!("  [{:>4} s] {line}", start.elapsed().as_secs())).await
}

async fn serve(config: Config) -> anyhow::Result<()> {
    platform::telemetry::log(config.log_json, "info,sqlx=warn,sea_orm_migration=warn");
    platform::telemetry::metrics();
    if config.demo && !counterfoil::demo::is_seeded(&config) {
        make_demo(&config).await?;
    }
    std::fs::create_dir_all(&config.data).with_context(|| format!("{}", config.data.display()))?;
    let clock: SharedClock = Arc::new(SystemClock);
    let entropy: SharedEntropy = Arc::new(OsEntropy);
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another server running?", config.listen))?;
    let own_authority = listener.local_addr()?.to_string();
    let key = embedded::key(&config.data.join("platform.key"), &entropy)?;
    let bank = Embedded::start(
        &config.data,
        config.custodian_listen,
        key.verifying_key(),
        // Where whoever comes back from the custodian finds their orders.
        &format!("{}/back", config.origin()),
        format!("http://{own_authority}{}", notices::PATH),
        clock.clone(),
        entropy.clone(),
    )
    .await?;
    let port = embedded::port(
        &config.data,
        bank.address,
        bank.public_key,
        own_authority,
        clock.clone(),
        entropy.clone(),
    )?;
    let parts = Parts {
        place: config.place(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        reach: Reach::Direct,
        pace: Pace::Background,
        days_by_hand: config.demo,
        port,
        keys: embedded::identity_keys(&config.data, &entropy)?,
        post: config.post().map_err(|e| anyhow!(e))?,
        origin: config.origin(),
    };
    let house = House::start(parts).await.context("cannot start the services")?;
    let ready = {
        let house = house.clone();
        Arc::new(move || {
            let house = house.clone();
            Box::pin(async move { house.ready().await }) as _
        })
    };
    let begin = verify::operator(&clock, &entropy, "first start");
    let links =
        house.identity(Service::Operator).begin(&begin, Begin {}).await.map_err(|e| anyhow!("{e}"))?;
    let (last_clock, last_entropy) = (clock.clone(), entropy.clone());
    let door = http::Door { clock, entropy, ready };
    let gateway = house.gateway(config.demo.then(counterfoil::demo::offered));
    let mut api = notices::router(house.custody_door()).merge(graphql::http::router(gateway));
    if let Some(dir) = config.graphiql.as_deref().filter(|_| config.demo) {
        api = api.merge(counterfoil::graphiql::router(dir));
    }
    let router =
        http::router(door, api, config.app.as_deref()).into_make_service_with_connect_info::<SocketAddr>();
    // The first page says when both books were last proved: not before this start.
    prove_once(&house, verify::operator(&last_clock, &last_entropy, "first statement"));
    println!("Ready: Counterfoil serves {}", config.origin());
    match (&config.smtp_url, config.demo) {
        (Some(_), _) => {}
        (None, true) => println!("Mail is not sent but kept, to be read at {}/mailbox", config.origin()),
        (None, false) => {
            println!(
                "No mail server is configured (smtp_url): nobody can confirm an address or reset a password."
            );
        }
    }
    if !config.demo && !links.invitations.is_empty() {
        println!("No staff power works until two different people have each used one of these links:");
        for (_, secret) in &links.invitations {
            println!("  {}/invitation/{}", config.origin(), secret.0);
        }
    }
    println!("The sandbox custodian's pages are at http://{}", bank.address);
    if config.demo {
        println!("Demo accounts, all with the password {}:", counterfoil::demo::PASSWORD);
        for (email, name, role) in counterfoil::demo::ACCOUNTS {
            println!("  {email:<24} {name:<18} {}", role.code().to_lowercase().replace('_', " "));
        }
        if config.graphiql.is_some() {
            println!("GraphiQL is at {}/graphiql/", config.origin());
        }
    }
    axum::serve(listener, router).with_graceful_shutdown(stopped()).await?;
    // The custodian's last signed statement stays with us, so that the books can be proved while all is stopped.
    let operator = verify::operator(&last_clock, &last_entropy, "last statement");
    house.custody(Service::Operator).proof(&operator, ProveBooks::default()).await.ok();
    // No request is under way any more; what the services have acknowledged is in the database.
    house.stop().await;
    bank.stop().await;
    Ok(())
}

/// Proves the books beside what else begins; it takes what it takes.
fn prove_once(house: &Arc<House>, operator: kernel::Call) {
    let custody = house.custody(Service::Operator);
    tokio::spawn(async move {
        if let Err(e) = custody.proof(&operator, ProveBooks::default()).await {
            tracing::warn!(error = %e, "the books were not proved at the start");
        }
    });
}

/// Waits for Ctrl-C or the service manager's request to end.
async fn stopped() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
