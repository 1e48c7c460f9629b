//! Breaks a connection off before any request was read from it, and records what it met.

use super::super::Edge;
use super::super::open::{OpenExchange, blank};
use crate::faults::{Accept, Effect, FaultMark, Onset};
use crate::history::exchange::End;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Does to a fresh connection what was decided.
pub(in crate::edge) async fn break_off(
    edge: Rc<Edge>,
    mut stream: TcpStream,
    conn: u64,
    (effect, mark): (Effect, FaultMark),
) {
    let t_conn = edge.clock.now();
    let mut sink = [0; 4096];
    let Onset::Accept(how) = effect.shape().onset else { return };
    let alert = match how {
        Accept::Alert(alert) => Some(alert),
        // A port that is being closed may still hand over who was waiting there.
        Accept::Reset | Accept::Shut(_) => None,
        // These happen in the handshake.
        Accept::Certificate(_) | Accept::Handshake(_) => return,
    };
    if alert.is_some() {
        let first = tokio::time::timeout(edge.tuning.idle, stream.read(&mut sink)).await;
        // Who leaves without a byte, or never sends one, has met nothing.
        if !matches!(first, Ok(Ok(1..))) {
            return;
        }
    }
    let mut open = OpenExchange::new(&edge, blank(edge.next_exchange(), conn, 0));
    let now = edge.clock.now();
    let exchange = &mut *open;
    (exchange.t_conn, exchange.t_head, exchange.t_req) = (t_conn, now, now);
    exchange.faults.push(mark);
    let Some(alert) = alert else {
        // It fails only for a socket that is gone already; the drop then makes an RST.
        let _ = stream.set_zero_linger();
        drop(stream);
        open.finish(End::ServerReset);
        return;
    };
    // A fatal alert in a record of TLS 1.2, which every version understands (RFC 8446 section 5.1).
    // If it cannot be written, the client is gone, and the end is the same.
    let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, alert]).await;
    let _ = stream.shutdown().await;
    open.finish(End::ServerReset);
    let drain = async { while matches!(stream.read(&mut sink).await, Ok(1..)) {} };
    // Whoever does not stop sending in time gets an RST instead.
    let _ = tokio::time::timeout(edge.tuning.linger, drain).await;
}
