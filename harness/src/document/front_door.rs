//! The service's own surface, as visitors, creators, Linktree and a scraper use it.

use super::Service;
use scenarios::front_door::{ClickValues, FrontDoor, FrontRoute, LinkValues};
use serde_json::{Map, Value, json};

/// Each path with its operation; what the service does not offer is left out.
pub fn paths(service: &Service) -> Vec<(String, Map<String, Value>)> {
    let front = &service.front;
    let click_method = front.click_method.method().as_str().to_lowercase();
    let offered: [(Option<FrontRoute>, &str, &str, Value); 7] = [
        (None, &service.ready, "get", ready()),
        (None, &front.page, "get", page(front)),
        (Some(FrontRoute::Clicks), &front.clicks, &click_method, click(front)),
        (Some(FrontRoute::Analytics), &front.analytics, "get", analytics()),
        (Some(FrontRoute::Campaigns), &front.campaigns, "post", campaign(front)),
        (Some(FrontRoute::Webhooks), &front.webhooks, "post", webhook()),
        (Some(FrontRoute::Metrics), metrics_path(service), "get", metrics(service)),
    ];
    let item = |(_, place, method, mut operation): (_, &str, &str, Value)| {
        let (path, parameters) = located(place);
        let own = operation["parameters"].as_array().cloned().unwrap_or_default();
        operation["parameters"] = parameters.into_iter().chain(own).collect();
        let what = "Where the service is told to listen.";
        let variables =
            json!({ "front.url": { "default": "http://127.0.0.1:8080", "description": what } });
        let servers = json!([{ "url": "{front.url}", "variables": variables }]);
        let item = [("servers", servers), (method, operation)];
        (path, item.map(|(key, value)| (key.to_owned(), value)).into_iter().collect())
    };
    let offered = offered.into_iter();
    offered.filter(|(route, ..)| route.is_none_or(|route| front.offers(route))).map(item).collect()
}

/// The path of a place, and what stands in it and in its query.
fn located(place: &str) -> (String, Vec<Value>) {
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    let in_path = path.contains("{handle}").then(|| handle("path"));
    let in_query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if value == "{handle}" {
            let mut parameter = handle("query");
            parameter["name"] = name.into();
            return parameter;
        }
        let schema = json!({ "type": "string" });
        json!({ "name": name, "in": "query", "required": true, "example": value, "schema": schema })
    });
    (path.to_owned(), in_path.into_iter().chain(in_query).collect())
}

/// Where metrics are at another port, the path there.
fn metrics_path(service: &Service) -> &str {
    let Some(url) = &service.metrics_url else { return &service.front.metrics };
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or("/", |at| &url[host + at..])
}

fn operation(
    id: &str,
    summary: &str,
    description: &str,
    parameters: Value,
    responses: Value,
) -> Value {
    json!({
        "tags": ["front door"], "operationId": id, "summary": summary, "description": description,
        "parameters": parameters, "security": [], "responses": responses,
    })
}

fn text(what: &str) -> Value {
    json!({ "description": what, "schema": { "type": "string" } })
}

fn header(name: &str, required: bool, what: &str) -> Value {
    json!({
        "name": name, "in": "header", "required": required, "description": what,
        "schema": { "type": "string" },
    })
}

fn handle(place: &str) -> Value {
    let what = "The creator: 1 to 30 of a-z, 0-9, dot, underscore and hyphen.";
    json!({
        "name": "handle", "in": place, "required": true, "description": what,
        "schema": { "type": "string" },
    })
}

fn ready() -> Value {
    operation(
        "ready",
        "Whether the service can be visited",
        "Asked until it answers 2xx, before each scenario and after each start. Its path is that of `ready` in \
         [target.spawn] or [target.url].",
        json!([]),
        json!({ "2XX": { "description": "It is ready." } }),
    )
}

fn page(front: &FrontDoor) -> Value {
    let FrontDoor { version_header, version_meta, link_id_attribute, .. } = front;
    let description = format!(
        "It shows display name, biography and every active link in order of position, as text that cannot run. \
         Each link is an element with `{link_id_attribute}=\"<its id>\"`. The version of the profile that it \
         shows stands in the header `{version_header}`, or in `<meta name=\"{version_meta}\" \
         content=\"<version>\">`. When Linktree fails it shows what it knows. A creator's e-mail is never on it."
    );
    let headers = json!({
        version_header: text("The version of the profile that it shows, unless the page says it."),
        "Cache-Status": text("Optional, RFC 9211: whether it came from the cache."),
        "Age": text("Optional: how old it is, seconds."),
    });
    operation(
        "page",
        "A visitor opens a creator's page",
        &description,
        json!([header("X-Forwarded-For", false, "The visitor's address, which no log shows."),]),
        json!({
            "200": {
                "description": "The page.",
                "headers": headers,
                "content": { "text/html": { "schema": { "type": "string" } } },
            },
            "404": { "description": "Linktree knows nobody of this handle." },
            "5XX": { "description": "There is nothing to show, not even what is old." },
        }),
    )
}

fn click(front: &FrontDoor) -> Value {
    let values = ClickValues {
        event_id: "0198c1f2-5c3e-7d4a-8f10-6b1f5d0c2e11",
        handle: "creator-0001",
        link_id: "lnk_3f9c2a71b0d4",
        occurred_at: "2026-01-31T12:00:00Z",
        ip: "203.0.113.7",
        user_agent: "Mozilla/5.0",
    };
    let description = "202 is a promise: this click will reach Linktree, once, whatever happens next. Each \
                       `event_id` has one effect. What is no click is refused with 4xx.";
    let forwarded = header("X-Forwarded-For", false, "The visitor's address.");
    let origin = header("Origin", false, "The page that asks, where it is one of another origin.");
    let mut click = operation(
        "click",
        "A visitor clicks",
        description,
        json!([forwarded, origin]),
        json!({
            "202": { "description": "It will reach Linktree." },
            "4XX": { "description": "It is no click." },
            "503": { "description": "It cannot be kept now; it is not promised." },
        }),
    );
    click["requestBody"] = body(&front.click_fields.body(&values));
    click
}

fn analytics() -> Value {
    let mut analytics = operation(
        "analytics",
        "A creator looks at own figures",
        "Another creator's, and those of a forged session, are refused. They may be slow, and nothing else may be \
         slow because of them.",
        json!([]),
        json!({
            "200": {
                "description": "The figures, in any form; ids of links are found in it.",
                "content": { "application/json": { "schema": {} } },
            },
            "401": { "description": "The session is none." },
            "403": { "description": "The figures are another creator's." },
        }),
    );
    analytics["security"] = json!([{ "session": [] }]);
    analytics
}

/// How a creator's session is shown, as a security scheme.
pub fn session(front: &FrontDoor) -> Value {
    let description = format!(
        "`{}`, where the token is `<handle>.<lower hex of hmac-sha256({{secret.session}}, handle)>`.",
        front.session
    );
    let name = &front.session_header;
    json!({ "type": "apiKey", "in": "header", "name": name, "description": description })
}

fn campaign(front: &FrontDoor) -> Value {
    let links =
        [LinkValues { id: "lnk_3f9c2a71b0d4", title: "New", url: "https://example.org/new" }];
    let mut campaign = operation(
        "campaign",
        "A creator changes hundreds of links at once",
        "202 is a promise: every link will say in time what the last campaign makes of it, by few calls.",
        json!([]),
        json!({ "202": { "description": "The links will be changed." } }),
    );
    campaign["security"] = json!([{ "session": [] }]);
    campaign["requestBody"] = body(&front.campaign_fields.body("creator-0001", links));
    campaign
}

fn webhook() -> Value {
    let mut webhook = operation(
        "webhook",
        "Linktree delivers a webhook",
        "See the webhooks of this document: 2xx takes it, 4xx refuses what is not believed. What is believed and \
         cannot be processed is kept whole. The service registers this address itself: {front.url} is told to it.",
        json!([]),
        json!({
            "2XX": { "description": "It was taken." },
            "4XX": { "description": "It is not believed, or cannot be processed and is kept." },
        }),
    );
    let content = json!({ "application/json": { "schema": { "type": "object" } } });
    webhook["requestBody"] = json!({ "required": true, "content": content });
    webhook
}

fn metrics(service: &Service) -> Value {
    let place = match service.metrics_url {
        Some(_) => " They are not at the service's own port: metrics_url of [observe] says where.",
        None => "",
    };
    let description = format!(
        "The text format of Prometheus, once a second. Names are mapped in [observe.metrics].{place}"
    );
    operation(
        "metrics",
        "Prometheus scrapes",
        &description,
        json!([]),
        json!({
            "200": {
                "description": "The series.",
                "content": { "text/plain": { "schema": { "type": "string" } } },
            },
        }),
    )
}

/// A body like this one.
fn body(example: &Value) -> Value {
    let schema = like(example);
    json!({ "required": true, "content": { "application/json": { "schema": schema, "example": example } } })
}

/// The schema of what looks like this.
fn like(example: &Value) -> Value {
    match example {
        Value::Object(members) => {
            let names: Vec<&String> = members.keys().collect();
            let properties: Map<String, Value> =
                members.iter().map(|(name, value)| (name.clone(), like(value))).collect();
            json!({ "type": "object", "required": names, "properties": properties })
        }
        Value::Array(items) => {
            json!({ "type": "array", "items": items.first().map_or(json!({}), like) })
        }
        _ => json!({ "type": "string" }),
    }
}
