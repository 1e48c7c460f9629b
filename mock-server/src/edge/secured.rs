//! What comes between a connection and its first request: the handshake, where the port speaks TLS.

use super::breaking::{Fate, IsBroken};
use super::open::{OpenExchange, blank};
use super::{Edge, Server, connection};
use crate::faults::{Effect, FaultMark};
use crate::serving::places::Claim;
use crate::tls::{Broken, Stream};
use socket2::SockRef;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// Serves a connection to its end. A fault of handshakes cannot happen where there are none.
pub(super) async fn serve(
    edge: Rc<Edge>,
    stream: TcpStream,
    conn: u64,
    fault: Option<(Effect, FaultMark)>,
    mut fate: Fate,
    claim: &Arc<Claim>,
) {
    let t_conn = edge.clock.now();
    let Some(tls) = edge.tls.clone() else {
        return connection::serve(edge, Stream::Plain(stream), conn, t_conn, fate, claim).await;
    };
    // The handshake has the stream for itself; this is for what ends both.
    let socket = SockRef::from(&stream).try_clone().ok();
    let accepting =
        tls.accept(stream, Server::Linktree, Some(conn), fault, edge.breaking.watched());
    let accepted = match fate.unless_broken(accepting).await {
        Ok(accepted) => accepted,
        Err(IsBroken) => {
            // It fails only for a socket that is gone already.
            let _ = socket.map(|socket| socket.set_linger(Some(Duration::ZERO)));
            return;
        }
    };
    drop(socket);
    match accepted {
        Ok(stream) => connection::serve(edge, stream, conn, t_conn, fate, claim).await,
        Err(Broken { mark: Some(mark), end }) => {
            // What a client met in place of an answer, as of any other fault on a connection.
            let mut open = OpenExchange::new(&edge, blank(edge.next_exchange(), conn, 0));
            let exchange = &mut *open;
            (exchange.t_conn, exchange.t_head, exchange.t_req) = (t_conn, t_conn, t_conn);
            exchange.faults.push(mark);
            open.finish(end);
        }
        Err(Broken { mark: None, .. }) => {}
    }
}
