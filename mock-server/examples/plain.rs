//! Serves one fixed body, by plain wiremock or plain hyper, to compare the mock with.
//!
//! `cargo run --release -p mock-server --example plain -- hyper body.json`

#[path = "../benches/rivals/mod.rs"]
mod rivals;

use std::error::Error;
use std::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("failed to start: no {what} given"));
    let (kind, file) = (next("kind")?, next("file with the body")?);
    let body = std::fs::read(file)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    match kind.as_str() {
        "hyper" => rivals::hyper(listener, &body)?,
        "wiremock" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let _server = rivals::wiremock(listener, &body).await;
                std::future::pending::<()>().await;
            });
        }
        other => Err(format!("failed to start {other:?}: it is neither wiremock nor hyper"))?,
    }
    Ok(())
}
