//! Salesforce: outbound messages over mutual TLS with an acknowledgement in SOAP, in batches that are put
//! together anew at a retry; and the signed events of Data Cloud and Marketing Cloud.

use std::sync::Arc;

use rustls::{ClientConfig, version::TLS13};

use super::{OTHER, SECRET, Scene, Verdict, deliver, secrets};
use crate::support::{
    Act, Answer, Gateway, Upstream, hmac_base64, request,
    tls::{Authority, Identity, handshake, showing, trusting},
};

const HOST: &str = "hooks.example.com";
const ORGANIZATION: &str = "00D000000000001EAA";
const ACK: &str = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>true</Ack></notificationsResponse></e:Body></e:Envelope>";

/// An organization whose workflow sends outbound messages.
struct Organization {
    scene: Scene,
    server: Identity,
    client: Arc<ClientConfig>,
}

impl Organization {
    fn start() -> Self {
        let authority = Authority::new("Authority of Senders");
        let server = Identity::new(HOST);
        let dir = tempfile::tempdir().unwrap();
        server.write(dir.path(), "server");
        std::fs::write(dir.path().join("senders.pem"), authority.pem()).unwrap();
        let upstream = Upstream::start();
        let config = format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\n\
             [[server.tls]]\ncertificate = \"server.pem\"\nprivate_key = \"server.key\"\nclient_ca = \"senders.pem\"\n\
             [log]\naudit = \"audit.jsonl\"\n\
             [routes.r]\npath = \"/hook\"\nprovider = \"salesforce-outbound\"\nupstream = \"{}\"\n\
             expect = {{ organization_id = \"{ORGANIZATION}\" }}\n\
             client_certificate = {{ san = \"*.sender.example\" }}\n",
            upstream.url("")
        );
        let gateway = Gateway::start_in(dir, &config);
        let own = authority.client("sender", "api.sender.example", (2030, 1, 1));
        let client = showing(&[&server], &own, &["http/1.1"], &TLS13);
        let stranger = authority.client("sender", "api.other.example", (2030, 1, 1));
        let this = Self { scene: Scene { gateway, upstream }, server, client };
        let stranger = showing(&[&this.server], &stranger, &["http/1.1"], &TLS13);
        assert_eq!(this.post(&stranger, &batch(ORGANIZATION, &["04l0"])).status, 403);
        this
    }

    fn post(&self, client: &Arc<ClientConfig>, body: &str) -> Answer {
        self.scene.wait(60);
        let shown = handshake(client, self.scene.gateway.connect(), HOST);
        let mut client = shown.expect("the handshake").client;
        let headers = [("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", "\"\"")];
        client.write(&request("POST", "/hook", &headers, body.as_bytes()));
        client.read().expect("an answer")
    }

    fn send(&self, ids: &[&str]) -> Verdict {
        Self::judge(&self.post(&self.client, &batch(ORGANIZATION, ids)))
    }

    /// A 200 with an `Ack` that is true; everything else comes again for a day.
    fn judge(answer: &Answer) -> Verdict {
        let acknowledged = answer.text().contains("<Ack>true</Ack>");
        if answer.status == 200 && acknowledged { Verdict::Done } else { Verdict::Again }
    }
}

fn batch(organization: &str, ids: &[&str]) -> String {
    let notifications: String = ids
        .iter()
        .map(|id| {
            format!(
                "<Notification><Id>{id}</Id><sObject xsi:type=\"sf:Account\" xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\"><sf:Id>001</sf:Id></sObject></Notification>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><notifications xmlns=\"http://soap.sforce.com/2005/09/outbound\"><OrganizationId>{organization}</OrganizationId><ActionId>04k000000000001AAA</ActionId><SessionId xsi:nil=\"true\"/>{notifications}</notifications></soapenv:Body></soapenv:Envelope>"
    )
}

#[test]
fn messages_come_until_they_are_acknowledged() {
    let organization = Organization::start();
    let upstream = &organization.scene.upstream;
    upstream.next([Act::Answer(500, ""), Act::Close, Act::Answer(200, ACK)]);
    let outcome = deliver(
        10,
        |_| organization.post(&organization.client, &batch(ORGANIZATION, &["04l1", "04l2"])),
        Organization::judge,
    );
    assert_eq!(outcome, (Verdict::Done, 3));
    let seen = upstream.last();
    assert_eq!(seen.body, batch(ORGANIZATION, &["04l1", "04l2"]).as_bytes());
    assert_eq!(seen.header("hookward-event-id"), Some("04l1,04l2"));
    assert_eq!(seen.header("hookward-event-type"), Some("04k000000000001AAA"));
    // A receiver that has it, but says so in other words: the retry is acknowledged for it.
    upstream.next([Act::Answer(200, "thanks")]);
    assert_eq!(
        [organization.send(&["04l3"]), organization.send(&["04l3"])],
        [Verdict::Again, Verdict::Done]
    );
    assert_eq!(upstream.count(), 4);
}

#[test]
fn a_batch_is_old_only_if_all_of_it_is() {
    let organization = Organization::start();
    let upstream = &organization.scene.upstream;
    upstream.next(vec![Act::Answer(200, ACK); 9]);
    assert_eq!(organization.send(&["04l1", "04l2"]), Verdict::Done);
    // Our answer got lost; the retry comes together with what is new by then.
    assert_eq!(organization.send(&["04l1", "04l2", "04l3"]), Verdict::Done);
    assert_eq!(upstream.count(), 2, "something of it is new");
    for old in [&["04l3"][..], &["04l2", "04l1"], &["04l3", "04l1", "04l2"]] {
        assert_eq!(organization.send(old), Verdict::Done, "{old:?}");
    }
    assert_eq!(upstream.count(), 2, "nothing of these is");
    assert_eq!(organization.send(&["04l4"]), Verdict::Done);
    assert_eq!(upstream.count(), 3);
    let decisions = organization.scene.decisions();
    assert_eq!(decisions[3..6], ["duplicate"; 3]);
}

#[test]
fn another_organization_or_no_certificate_is_refused() {
    let organization = Organization::start();
    let post = |client: &Arc<ClientConfig>, body: &str| organization.post(client, body).status;
    let nobody = trusting(&[&organization.server], &["http/1.1"]);
    let ours = batch(ORGANIZATION, &["04l1"]);
    // Whoever knows the organization's id.
    assert_eq!(post(&nobody, &ours), 403);
    // Every other customer of the same sender has the same certificate.
    assert_eq!(post(&organization.client, &batch("00D000000000002EAA", &["04l1"])), 401);
    let two =
        ours.replace("<ActionId>", "<OrganizationId>00D000000000002EAA</OrganizationId><ActionId>");
    assert_eq!(post(&organization.client, &two), 401);
    assert_eq!(organization.scene.upstream.count(), 0);
    // None of it made the notification an old one.
    organization.scene.upstream.next([Act::Answer(200, ACK)]);
    assert_eq!(organization.send(&["04l1"]), Verdict::Done);
    assert_eq!(organization.scene.upstream.count(), 1);
    let decisions = organization.scene.decisions();
    let mismatch = "signature_mismatch";
    let refused = ["source_not_allowed", "source_not_allowed", mismatch, mismatch];
    assert_eq!(decisions[..4], refused);
}

/// A new key takes a quarter of an hour to be used everywhere, without a word on which one signed.
#[test]
fn data_cloud_and_marketing_cloud_change_their_keys() {
    for (provider, header, body) in [
        ("salesforce-data-cloud", "x-signature", r#"{"count":1,"schemas":[],"events":[{"n":0}]}"#),
        (
            "salesforce-marketing-cloud",
            "x-sfmc-ens-signature",
            r#"[{"eventCategoryType":"TransactionalSendEvents.EmailSent","compositeId":"0"}]"#,
        ),
    ] {
        let scene = Scene::start(provider, &secrets(&[SECRET, OTHER]));
        let body = |number: u32| body.replace('0', &number.to_string());
        let post = |secret: &str, signed: &str, sent: &str| {
            let signature = hmac_base64(secret, signed.as_bytes());
            let headers = [("Content-Type", "application/json"), (header, &*signature)];
            scene.gateway.post("/hook", &headers, sent.as_bytes()).status
        };
        for (number, secret, key) in [(1, SECRET, "k0"), (2, OTHER, "k1"), (3, SECRET, "k0")] {
            assert_eq!(post(secret, &body(number), &body(number)), 200, "{provider}");
            assert_eq!(scene.upstream.last().header("hookward-key-id"), Some(key));
        }
        assert_eq!(post("a-key-of-another-callback", &body(4), &body(4)), 401, "{provider}");
        assert_eq!(post(SECRET, &body(4), &body(5)), 401, "{provider}");
        assert_eq!(scene.gateway.post("/hook", &[], body(4).as_bytes()).status, 401);
        // The same bytes are taken once, under whichever key, and again after a failure.
        assert_eq!(post(OTHER, &body(3), &body(3)), 200);
        assert_eq!(scene.upstream.count(), 3, "{provider}");
        scene.answers(&[503]);
        assert_eq!([post(SECRET, &body(6), &body(6)), post(OTHER, &body(6), &body(6))], [503, 200]);
        assert_eq!(scene.upstream.count(), 5, "{provider}");
    }
}
