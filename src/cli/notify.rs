//! `notify`: sends a sample to one receiver.

use kube::Client;
use tokio::runtime::Builder;

use super::args::Notify;
use super::error::Error;
use super::print;
use crate::config::notifications::{Receiver, To};
use crate::config::{Overrides, Source};
use crate::delivery::receiver::Reply;
use crate::delivery::trial;
use crate::runtime::clock;
use crate::source::cluster::{Access, Target};
use crate::text::escape::terminal;

/// Maximum length of a reason, in columns.
const WHY: usize = 300;

/// Sends the sample, and prints the outcome.
pub fn run(args: &Notify) -> Result<(), Error> {
    let source = Source { file: Some(args.config.clone()), overrides: Overrides::default() };
    let receivers = source.load()?.config.notifications.receivers;
    let Some(receiver) = receivers.iter().find(|receiver| receiver.name == args.test) else {
        let known = receivers.into_iter().map(|receiver| receiver.name).collect();
        return Err(Error::NoReceiver { name: args.test.clone(), known });
    };
    // Fails if one is installed already, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Start(error.to_string()))?;
    match runtime.block_on(send(receiver, args))? {
        Reply::Delivered => {
            print(format!("ok: the receiver {} ({}) took the sample\n", receiver.name, receiver.to.word()).as_bytes())
        }
        Reply::Refused(why) | Reply::Failed { why, .. } | Reply::Gone(why) => {
            Err(Error::NotTaken { receiver: receiver.name.clone(), why: terminal(&why, WHY) })
        }
        Reply::Withheld => Err(Error::NotTaken { receiver: receiver.name.clone(), why: "nothing was sent".to_owned() }),
    }
}

/// Only Events need a cluster.
async fn send(receiver: &Receiver, args: &Notify) -> Result<Reply, Error> {
    let (client, namespace) = match receiver.to {
        To::Events => {
            let target = Target { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
            let access = Access::find(&target, clock::now).await?;
            (access.client().clone(), access.namespace().to_owned())
        }
        _ => (nobody(), "prod".to_owned()),
    };
    Ok(trial::send(receiver, client, &namespace, clock::now()).await)
}

/// A client that is never used.
fn nobody() -> Client {
    let unasked = tower::service_fn(|_: http::Request<kube::client::Body>| async {
        Err::<http::Response<kube::client::Body>, _>(std::io::Error::other("no cluster is asked"))
    });
    Client::new(unasked, "default")
}
