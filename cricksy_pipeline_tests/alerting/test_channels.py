"""Each channel against a real other side: a web server, an SNS with a queue behind it, a mail server. And the settings that choose."""

from __future__ import annotations

import base64
import json
import logging
import traceback

import pytest
from pydantic import SecretStr

from cricksy_pipeline.alerting.alert import Alert, AlertNotSent, Link, Severity
from cricksy_pipeline.alerting.channels import open_notifier
from cricksy_pipeline.alerting.mail import EmailNotifier, MailServer, read_mail_server
from cricksy_pipeline.alerting.routes import BadAlertSettings
from cricksy_pipeline.alerting.slack import SlackNotifier
from cricksy_pipeline_tests.alerting import mail_server, web_server
from cricksy_pipeline_tests.alerting.mail_server import Mailbox
from cricksy_pipeline_tests.alerting.web_server import Webhook

DATA, COACHING = "team:data-engineering", "team:coaching-science"
OWNERS = (COACHING, DATA)
SECRET = "SeCrEtTaIl"
ALERT = Alert(
    owner=DATA,
    title="3 failures in a row (POSE_CRASHED)",
    text="3 attempts in a row failed.\n\nLast: <!channel> said é & so.",
    severity=Severity.FAILING,
    key=f"{DATA}/start/3",
    links=(Link("Last failed job", "https://cricksy.test/jobs/1?a=1&b=|"),),
)


@pytest.fixture(autouse=True)
def _nothing_between(monkeypatch):
    """No proxy, and no certificate but the machine's own."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


def routes(**targets: str) -> SecretStr:
    named = {"data": DATA, "coaching": COACHING, "default": "default"}
    return SecretStr(json.dumps({named[name]: target for name, target in targets.items()}))


def refusal(notifier, alert: Alert = ALERT) -> str:
    """What the notifier says when it cannot send; with everything that a log would show of it, free of secrets."""
    with pytest.raises(AlertNotSent) as caught:
        notifier.send(alert)
    error = caught.value
    shown = "".join(traceback.format_exception(error)) + repr(error) + repr(notifier)
    assert SECRET not in shown
    assert error.__context__ is None and error.__cause__ is None
    return str(error)


# Slack


def slack(hook: Webhook, **options) -> SlackNotifier:
    return SlackNotifier({DATA: SecretStr(hook.address)}, **options)


def test_slack_gets_the_alert_as_one_post():
    with web_server.serving(Webhook()) as hook:
        slack(hook).send(ALERT)
    [(method, path, document)] = hook.requests
    assert (method, path) == ("POST", f"/services/T000/B000/{SECRET}")
    assert document["text"].splitlines() == [
        ":red_circle: *Cricksy failing: 3 failures in a row (POSE_CRASHED), for team:data-engineering*",
        "3 attempts in a row failed.",
        "",
        "Last: &lt;!channel&gt; said é &amp; so.",
        "<https://cricksy.test/jobs/1?a=1&amp;b=%7C|Last failed job>",
    ]


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        (Webhook(500, "Something broke."), "Slack answered 500."),
        (Webhook(404, "channel_is_archived"), "Slack answered 404 (channel_is_archived)."),
        (Webhook(403, f"<p>no way to /services/T000/B000/{SECRET}</p>"), "Slack answered 403."),
        (Webhook(429, "", {"Retry-After": "30"}), "Slack answered 429."),
    ],
)
def test_an_answer_that_is_not_a_yes_is_an_error_that_keeps_the_address_to_itself(hook, reason):
    with web_server.serving(hook):
        assert reason in refusal(slack(hook))


def test_a_redirect_is_not_followed_for_a_login_page_would_swallow_the_alert():
    with web_server.serving(Webhook()) as login_page:
        moved = Webhook(302, "", {"Location": f"http://127.0.0.1:{login_page.port}/login"})
        with web_server.serving(moved):
            assert "answered 302" in refusal(slack(moved))
    assert login_page.requests == []


def test_a_slack_that_never_answers_is_given_up():
    with web_server.serving(Webhook(silent=True)) as hook:
        assert "did not answer within 0.2 s" in refusal(slack(hook, timeout_s=0.2))


def test_a_slack_that_is_not_there_is_an_error():
    with web_server.serving(Webhook()) as hook:
        pass
    assert "could not be reached (ConnectionRefusedError)" in refusal(slack(hook))


def test_each_owner_has_a_channel_of_his_own():
    with web_server.serving(Webhook()) as one, web_server.serving(Webhook()) as other:
        notifier = open_notifier("slack", owners=OWNERS, routes=routes(coaching=one.address, default=other.address))
        notifier.send(ALERT)
    assert (len(one.requests), len(other.requests)) == (0, 1)


def test_an_alert_to_somebody_unknown_is_an_error():
    assert "nobody is named" in refusal(SlackNotifier({COACHING: SecretStr(f"https://h/{SECRET}")}))


# SNS


@pytest.fixture
def aws(s3_client, monkeypatch):
    """Clients of the emulated AWS; boto3's own variables point there."""
    import boto3

    for name, value in {
        "AWS_ENDPOINT_URL": s3_client.meta.endpoint_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",  # not the topics' region: that one is in the ARN
    }.items():
        monkeypatch.setenv(name, value)
    return lambda service: boto3.client(service, region_name="ap-southeast-2")


def subscribed_topic(aws, name: str, **attributes: str) -> tuple[str, object]:
    """A topic, and a function that returns what arrived in a queue behind it."""
    topic = aws("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"]
    queue = aws("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def arrived() -> list[dict]:
        found = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found]

    return topic, arrived


def test_sns_delivers_the_alert_to_the_topics_subscribers(aws):
    topic, arrived = subscribed_topic(aws, "alerts")
    open_notifier("sns", owners=OWNERS, routes=routes(default=topic)).send(ALERT)
    [message] = arrived()
    assert message["Subject"] == "Cricksy failing: 3 failures in a row (POSE_CRASHED), for team:data-engineering"
    assert message["Message"] == f"{ALERT.text}\nLast failed job: {ALERT.links[0].url}"
    values = {name: attribute["Value"] for name, attribute in message["MessageAttributes"].items()}
    assert values == {"owner": DATA, "severity": "failing", "key": ALERT.key}


def test_an_ordered_topic_drops_the_second_copy_of_an_alert(aws):
    topic, arrived = subscribed_topic(aws, "alerts.fifo", FifoTopic="true", FifoQueue="true")
    notifier = open_notifier("sns", owners=OWNERS, routes=routes(default=topic))
    notifier.send(ALERT)
    notifier.send(ALERT)
    assert len(arrived()) == 1


def test_a_topic_that_is_not_there_is_an_error_that_names_it(aws):
    gone = "arn:aws:sns:ap-southeast-2:123456789012:gone"
    said = refusal(open_notifier("sns", owners=OWNERS, routes=routes(default=gone)))
    assert f"SNS topic {gone} refused it (NotFound" in said


def test_an_sns_that_is_not_there_is_an_error(aws, monkeypatch):
    with web_server.serving(Webhook()) as nobody:
        pass
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{nobody.port}")
    topic = "arn:aws:sns:ap-southeast-2:123456789012:alerts"
    assert "could not be reached (EndpointConnectionError)" in refusal(open_notifier("sns", owners=OWNERS, routes=routes(default=topic)))


# E-mail


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    """A certificate's file and the context of the server that has it."""
    return mail_server.certificate(tmp_path_factory.mktemp("certificate"))


def by_mail(box: Mailbox, user: str | None = None, password: str = "", **options) -> EmailNotifier:
    server = MailServer("127.0.0.1", box.port, box.implicit_tls, user, SecretStr(password))
    return EmailNotifier({DATA: SecretStr("data@cricksy.test")}, server, "alerts@cricksy.test", **options)


def test_mail_reaches_the_owner_readable():
    with mail_server.serving(Mailbox()) as box:
        by_mail(box).send(ALERT)
    [message] = box.messages
    assert box.recipients == ["data@cricksy.test"]
    assert (message["From"], message["To"]) == ("alerts@cricksy.test", "data@cricksy.test")
    assert message["Subject"] == ALERT.subject
    assert message.get_content().splitlines() == ALERT.body.splitlines()
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_repeated_alert_is_the_same_message_and_another_is_not():
    later = Alert(DATA, "6 failures in a row", "...", Severity.FAILING, f"{DATA}/start/6")
    with mail_server.serving(Mailbox()) as box:
        for alert in (ALERT, ALERT, later):
            by_mail(box).send(alert)
    first, again, other = (message["Message-ID"] for message in box.messages)
    assert first == again != other


def test_a_title_with_line_breaks_cannot_add_headers():
    forged = Alert(DATA, "x\r\nBcc: everyone@cricksy.test", "...", Severity.FAILING, "k")
    with mail_server.serving(Mailbox()) as box:
        by_mail(box).send(forged)
    assert box.messages[0]["Bcc"] is None
    assert box.recipients == ["data@cricksy.test"]


@pytest.mark.parametrize("implicit_tls", [False, True], ids=["starttls", "smtps"])
def test_user_and_password_go_over_an_encrypted_connection(trusted, implicit_tls, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted[0]))
    with mail_server.serving(Mailbox(trusted[1], implicit_tls, ("cricksy", SECRET))) as box:
        by_mail(box, "cricksy", SECRET).send(ALERT)
    assert box.encrypted == [True]
    assert any(line.startswith("AUTH PLAIN") for line in box.lines)


def test_starttls_is_used_where_it_is_offered_even_without_a_password(trusted, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted[0]))
    with mail_server.serving(Mailbox(trusted[1])) as box:
        by_mail(box).send(ALERT)
    assert box.encrypted == [True]


def credentials_seen(box: Mailbox) -> bool:
    encoded = base64.b64encode(f"\0cricksy\0{SECRET}".encode()).decode()
    return any(encoded in line or SECRET in line for line in box.lines)


def test_a_password_is_not_sent_to_a_server_without_encryption():
    with mail_server.serving(Mailbox(login=("cricksy", SECRET))) as box:
        assert "offers no encryption" in refusal(by_mail(box, "cricksy", SECRET))
    assert not credentials_seen(box) and box.messages == []


def test_a_password_is_not_sent_to_a_server_whose_certificate_nobody_vouches_for(trusted):
    with mail_server.serving(Mailbox(trusted[1], login=("cricksy", SECRET))) as box:
        assert "has a certificate that does not hold" in refusal(by_mail(box, "cricksy", SECRET))
    assert not credentials_seen(box) and box.messages == []


def test_a_wrong_password_is_an_error_that_does_not_repeat_it(trusted, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted[0]))
    with mail_server.serving(Mailbox(trusted[1], login=("cricksy", "another"))) as box:
        assert "refused user and password (535)" in refusal(by_mail(box, "cricksy", SECRET))
    assert box.messages == []


@pytest.mark.parametrize(
    ("command", "answer", "reason"),
    [
        ("RCPT", "550 no such user", "refused the recipient (550)"),
        ("MAIL", "451 later", "answered 451"),
        ("DATA", "554 spam", "answered 554"),
        ("EHLO", "421 busy", "answered 421"),
    ],
)
def test_a_mail_server_that_says_no_is_an_error(command, answer, reason):
    with mail_server.serving(Mailbox(answers={command: answer, "HELO": answer})) as box:
        assert reason in refusal(by_mail(box))


def test_a_message_that_was_taken_counts_as_sent_however_the_server_says_goodbye():
    with mail_server.serving(Mailbox(answers={"QUIT": "500 no"})) as box:
        by_mail(box).send(ALERT)
    assert len(box.messages) == 1


def test_a_mail_server_that_never_greets_is_given_up():
    with web_server.serving(Webhook()) as not_mail:  # waits for a request, as the client waits for a greeting
        box = Mailbox(port=not_mail.port)
        assert "did not answer within 0.2 s" in refusal(by_mail(box, timeout_s=0.2))


def test_a_mail_server_that_is_not_there_is_an_error():
    with mail_server.serving(Mailbox()) as box:
        pass
    assert "could not be used (ConnectionRefusedError)" in refusal(by_mail(box))


# The log


@pytest.mark.parametrize(("severity", "level"), [(Severity.FAILING, logging.ERROR), (Severity.RECOVERED, logging.WARNING)])
def test_without_any_setting_alerts_are_log_lines_that_show(severity, level, caplog):
    alert = Alert(DATA, "title", "text", severity, "k", ALERT.links)
    open_notifier("log", owners=OWNERS).send(alert)
    [record] = caplog.records
    assert (record.name, record.levelno) == ("cricksy.alerts", level)
    assert record.getMessage() == f"Cricksy {severity}: title, for {DATA}\ntext\nLast failed job: {ALERT.links[0].url}"


# The settings

HOOK = f"https://hooks.slack.com/services/T/B/{SECRET}"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"


@pytest.mark.parametrize(
    ("channel", "given", "words"),
    [
        ("slack", None, ["CRICKSY_ALERT_ROUTES", "not set"]),
        ("slack", "", ["not set"]),
        ("slack", HOOK, ["not a JSON object"]),
        ("slack", f'["{HOOK}"]', ["not a JSON object"]),
        ("slack", f'{{"{DATA}": ["{HOOK}"]}}', ["not a JSON object"]),
        ("slack", f'{{"{DATA}": "{HOOK}"}}', [f"no target for {COACHING}, and no default"]),
        ("slack", f'{{"team:data": "{HOOK}", "default": "{HOOK}"}}', ["team:data is no owner here", DATA]),
        ("slack", f'{{"{HOOK}": "{DATA}", "default": "{HOOK}"}}', ["a name is no owner here"]),
        ("slack", f'{{"default": "http://hooks.slack.com/{SECRET}"}}', ["the target of default is not an https address"]),
        ("slack", f'{{"default": "https://hooks.slack.com:port{SECRET}/"}}', ["not an https address"]),
        ("slack", f'{{"default": "https://hooks.slack.com/a b{SECRET}"}}', ["not an https address"]),
        ("slack", f'{{"default": "file:///{SECRET}"}}', ["not an https address"]),
        ("slack", f'{{"default": "{SECRET}"}}', ["not an https address"]),
        ("slack", f'{{"default": "ftp://x/{SECRET}", "{DATA}": ""}}', ["target of default", f"target of {DATA}"]),
        ("sns", f'{{"default": "{HOOK}"}}', ["not the ARN of an SNS topic"]),
        ("sns", '{"default": "arn:aws:sqs:eu-west-1:123456789012:queue"}', ["not the ARN of an SNS topic"]),
        ("email", f'{{"default": "{HOOK}"}}', ["not an e-mail address"]),
        ("email", '{"default": "a@b.test, c@d.test"}', ["not an e-mail address"]),
        ("email", '{"default": "a@b.test\\nBcc: c@d.test"}', ["not an e-mail address"]),
    ],
)
def test_a_route_that_is_missing_or_wrong_is_one_error_before_the_first_alert(channel, given, words):
    secret = None if given is None else SecretStr(given)
    with pytest.raises(BadAlertSettings) as caught:
        open_notifier(channel, owners=OWNERS, routes=secret, smtp_url=SecretStr("smtp://mail.test"), sender="a@b.test")
    ours = caught.value.__traceback__.tb_next  # this test's own frame does hold the text
    shown = "".join(traceback.TracebackException(BadAlertSettings, caught.value, ours, capture_locals=True).format())
    assert SECRET not in shown
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "mail.test:587",
        "https://mail.test",
        "smtp://",
        "smtp://mail.test/inbox",
        "smtp://mail.test:port",
        f"smtp://user:{SECRET}/x@mail.test",
        "smtp://user@mail.test",
        f"smtp://user:{SECRET}é@mail.test",
    ],
)
def test_a_mail_server_that_cannot_be_read_is_an_error_before_the_first_alert(url):
    secret = None if url is None else SecretStr(url)
    with pytest.raises(BadAlertSettings, match="CRICKSY_ALERT_SMTP_URL") as caught:
        open_notifier("email", owners=OWNERS, routes=routes(default="a@b.test"), smtp_url=secret, sender="a@b.test")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("sender", [None, "", "Cricksy", "a@b.test\nBcc: c@d.test"])
def test_mail_needs_a_sender(sender):
    with pytest.raises(BadAlertSettings, match="CRICKSY_ALERT_FROM"):
        open_notifier("email", owners=OWNERS, routes=routes(default="a@b.test"), smtp_url=SecretStr("smtp://mail.test"), sender=sender)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.test", MailServer("mail.test", 587, False, None, SecretStr(""))),
        ("smtps://mail.test/", MailServer("mail.test", 465, True, None, SecretStr(""))),
        ("smtp://a%40b.test:p%2Fw%3A@mail.test:2525", MailServer("mail.test", 2525, False, "a@b.test", SecretStr("p/w:"))),
    ],
)
def test_the_mail_servers_address_says_how_to_reach_it(url, server):
    assert read_mail_server(SecretStr(url)) == server


@pytest.mark.parametrize(("channel", "target"), [("slack", HOOK), ("sns", TOPIC), ("sns", f"{TOPIC}.fifo"), ("email", "data@cricksy.test")])
def test_good_settings_open_the_channel_without_connecting(channel, target):
    given = {"routes": routes(default=target), "smtp_url": SecretStr(f"smtp://u:{SECRET}@mail.test"), "sender": "a@b.test"}
    notifier = open_notifier(channel, owners=OWNERS, **given)
    assert SECRET not in f"{notifier!r} {vars(notifier)!r}"
