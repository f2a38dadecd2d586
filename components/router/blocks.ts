import { inOrder } from "./cohort";
import * as defaults from "./defaults";
import type { Backend, RouterSettings } from "./settings";

/** nginx makes the folders of all its modules, also of those that nothing uses. */
export function files(): string[] {
    const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    return [
        ...folders.map((name) => `${name}_temp_path ${defaults.TMP_PATH}/${name};`),
        "default_type text/plain;",
        "",
    ];
}

export function limits(settings: RouterSettings): string[] {
    const { timeouts = {} } = settings;
    const client = timeouts.clientSeconds ?? defaults.CLIENT_SECONDS;
    return [
        "server_tokens off;",
        `client_max_body_size ${settings.maxBodySize ?? defaults.MAX_BODY_SIZE};`,
        "large_client_header_buffers 4 8k;",
        `client_header_timeout ${client}s;`,
        `client_body_timeout ${client}s;`,
        `send_timeout ${client}s;`,
        `keepalive_timeout ${timeouts.idleSeconds ?? defaults.IDLE_SECONDS}s;`,
        `keepalive_time ${settings.maxConnectionAgeSeconds ?? defaults.MAX_CONNECTION_AGE_SECONDS}s;`,
        "keepalive_requests 10000;",
        "",
    ];
}

/** Without query strings, which may hold what no log should. */
export function accessLog(backends: readonly Backend[], settings: RouterSettings): string[] {
    const { pool, side } = variables(settings);
    const split = inOrder(backends).filter(({ weight }) => weight > 0);
    const fallback = backends.find(({ main }) => main)?.side ?? side;
    const retried = split
        .filter(({ main }) => !main)
        .map((backend) => [`"~^split_${backend.side} .*,"`, fallback]);
    const releases = split.flatMap(({ side: name, release }) =>
        release === undefined ? [] : [[name, JSON.stringify(release)]],
    );
    const fields = {
        time: "$time_iso8601",
        id: "$request_id",
        client: "$remote_addr",
        method: "$request_method",
        host: "$host",
        path: "$path",
        status: "$status",
        bytes: "$body_bytes_sent",
        seconds: "$request_time",
        side: "$answered_by",
        release: "$release",
        upstream: "$upstream_addr",
        upstreamStatus: "$upstream_status",
        upstreamSeconds: "$upstream_response_time",
    };
    return [
        ...mapped("$request_uri", "$path", { '"~^(?<path_only>[^?]*)"': "$path_only" }),
        // With two addresses, the second one's side answered.
        ...mapped(`"${pool} $upstream_addr"`, "$answered_by", {
            ...Object.fromEntries(retried),
            default: side,
        }),
        ...mapped("$answered_by", "$release", { ...Object.fromEntries(releases), default: '""' }),
        `log_format json escape=json '${JSON.stringify(fields)}';`,
        "access_log /dev/stdout json;",
        "",
    ];
}

export function proxying({ timeouts = {}, sticky }: RouterSettings): string[] {
    // Where a header has replaced the client's address, the proxy's own is what the list still lacks.
    const behindProxies = sticky?.clientAddress?.trustedHeader !== undefined;
    const read = timeouts.readSeconds ?? defaults.READ_SECONDS;
    return [
        // Nothing but WebSockets may change the protocol: other upgrades would tunnel past the router.
        ...mapped("$http_upgrade", "$upgrade", { '"~*^websocket$"': "websocket", default: '""' }),
        ...mapped("$upgrade", "$connection_header", { websocket: "upgrade", default: '""' }),
        ...mapped("$http_x_forwarded_proto", "$forwarded_proto", {
            https: "https",
            default: "$scheme",
        }),
        ...(behindProxies
            ? mapped("$http_x_forwarded_for", "$forwarded_for", {
                  '""': "$realip_remote_addr",
                  default: '"$http_x_forwarded_for, $realip_remote_addr"',
              })
            : []),
        "proxy_http_version 1.1;",
        "proxy_set_header Host $host;",
        "proxy_set_header X-Real-IP $remote_addr;",
        `proxy_set_header X-Forwarded-For ${behindProxies ? "$forwarded_for" : "$proxy_add_x_forwarded_for"};`,
        "proxy_set_header X-Forwarded-Host $http_host;",
        "proxy_set_header X-Forwarded-Proto $forwarded_proto;",
        "proxy_set_header Upgrade $upgrade;",
        "proxy_set_header Connection $connection_header;",
        `proxy_connect_timeout ${timeouts.connectSeconds ?? defaults.CONNECT_SECONDS}s;`,
        `proxy_read_timeout ${read}s;`,
        `proxy_send_timeout ${read}s;`,
        // Not for requests that may not be repeated: POST and the like only when none of it was sent.
        "proxy_next_upstream error timeout invalid_header;",
        `proxy_next_upstream_tries ${defaults.TRIES};`,
        `proxy_next_upstream_timeout ${defaults.RETRY_WITHIN_SECONDS}s;`,
        "proxy_max_temp_file_size 0;",
        // A side must not lead its answers to other locations of the router.
        "proxy_ignore_headers X-Accel-Redirect X-Accel-Limit-Rate X-Accel-Charset;",
        "",
    ];
}

/** The variables that name the upstream and the side of a request. */
export function variables({ previewHeader }: RouterSettings): { pool: string; side: string } {
    return previewHeader === undefined
        ? { pool: "split_$cohort", side: "$cohort" }
        : { pool: "$pool", side: "$side" };
}

/** A `map` block: the value of `to` by the value of `from`. */
export function mapped(from: string, to: string, values: Record<string, string>): string[] {
    const lines = Object.entries(values).map(([value, result]) => `    ${value} ${result};`);
    return [`map ${from} ${to} {`, ...lines, "}", ""];
}

/** nginx's variable for a header of the request. */
export function headerVariable(header: string): string {
    return `$http_${header.toLowerCase().replaceAll("-", "_")}`;
}
