import { accessLog, files, headerVariable, limits, mapped, proxying, variables } from "./blocks";
import { inOrder, ranges } from "./cohort";
import * as defaults from "./defaults";
import type { Backend, RouterSettings, StickyArgs } from "./settings";

/**
 * The router's whole nginx config: a pure function, so that a preview shows the split to the tenth of
 * a percent. Sides without a share are in it only as what `previewHeader` can lead to.
 *
 * Both arguments must have passed `routerRules` and `backendRules`: what they hold is written into the
 * config as it is.
 */
export function renderNginx(backends: readonly Backend[], settings: RouterSettings = {}): string {
    const blocks = [
        ...files(),
        ...limits(settings),
        ...clientAddress(settings.sticky),
        ...split(backends, settings),
        ...upstreams(backends, settings),
        ...accessLog(backends, settings),
        ...proxying(settings),
        ...server(settings),
    ];
    return [...main(backends), "http {", ...blocks.map(indent), "}", ""].join("\n");
}

function main(backends: readonly Backend[]): string[] {
    const shares = ranges(backends).map(({ side, weight }) => `${weight} % ${side}`);
    return [
        `# ${shares.join(", ")}`,
        "daemon off;",
        `worker_processes ${defaults.WORKERS};`,
        `worker_rlimit_nofile ${defaults.WORKER_FILES};`,
        `worker_shutdown_timeout ${defaults.QUIT_SECONDS}s;`,
        `pid ${defaults.TMP_PATH}/nginx.pid;`,
        "error_log stderr warn;",
        "",
        "events {",
        `    worker_connections ${defaults.WORKER_CONNECTIONS};`,
        "}",
        "",
    ];
}

/** Behind proxies `$remote_addr` is what the last of them that is not trusted is called in the header. */
function clientAddress({ clientAddress: address }: StickyArgs = {}): string[] {
    if (address?.trustedHeader === undefined) return [];
    return [
        ...(address.trustedProxies ?? []).map((range) => `set_real_ip_from ${range};`),
        `real_ip_header ${address.trustedHeader};`,
        "real_ip_recursive on;",
        "",
    ];
}

/** Who gets which side: ranges of a hash, the main side's last, and a header that overrules them. */
function split(backends: readonly Backend[], { sticky = {}, previewHeader }: RouterSettings) {
    const found = ranges(backends);
    const shares = found.map(({ side, weight }, index) =>
        index === found.length - 1 ? `    * ${side};` : `    ${weight}% ${side};`,
    );
    const known = keyOf(sticky);
    return [
        ...mapped(known, "$cohort_key", { '""': "$request_id", default: known }),
        `split_clients "${sticky.seed ?? ""}$cohort_key" $cohort {`,
        ...shares,
        "}",
        "",
        ...(previewHeader === undefined ? [] : preview(backends, previewHeader)),
        ...(givesCookie(sticky) ? givenCookie(sticky) : []),
    ];
}

function preview(backends: readonly Backend[], header: string): string[] {
    const sides = inOrder(backends).map(({ side }) => [side, side]);
    return [
        ...mapped(headerVariable(header), "$preview", {
            ...Object.fromEntries(sides),
            default: '""',
        }),
        ...mapped("$preview", "$side", { '""': "$cohort", default: "$preview" }),
        ...mapped("$preview", "$pool", { '""': "split_$cohort", default: "only_$preview" }),
    ];
}

/** Its value is the key of this very request, so that the client stays where it was sent first. */
function givenCookie({ cookie, cookieMaxAgeSeconds }: StickyArgs): string[] {
    const given = `${cookie}=$request_id; Max-Age=${cookieMaxAgeSeconds}; Path=/; HttpOnly; SameSite=Lax`;
    return mapped(`$cookie_${cookie}`, "$given_cookie", {
        '""': JSON.stringify(given),
        default: '""',
    });
}

function givesCookie({ cookie, cookieMaxAgeSeconds }: StickyArgs = {}): boolean {
    return cookie !== undefined && cookieMaxAgeSeconds !== undefined;
}

/** The variable with what a client is known by. */
function keyOf(sticky: StickyArgs): string {
    if (sticky.header !== undefined) return headerVariable(sticky.header);
    if (sticky.cookie !== undefined) return `$cookie_${sticky.cookie}`;
    if (sticky.clientAddress !== undefined) return "$remote_addr";
    return "$request_id";
}

/**
 * What a side does not answer is asked again: of the main side if it is another one, else once more
 * of the same, where the Service may choose another pod. `max_fails=0`: one bad moment must not take
 * the share away. Previews show the side as it is, without the main one behind it.
 */
function upstreams(backends: readonly Backend[], { previewHeader }: RouterSettings): string[] {
    const fallback = backends.find((backend) => backend.main);
    const previews = previewHeader === undefined ? [] : inOrder(backends);
    return [
        ...inOrder(backends)
            .filter(({ weight }) => weight > 0)
            .flatMap((backend) => upstream("split", backend, fallback ?? backend)),
        ...previews.flatMap((backend) => upstream("only", backend, backend)),
    ];
}

function upstream(kind: string, first: Backend, then: Backend): string[] {
    return [
        `upstream ${kind}_${first.side} {`,
        `    server ${first.host}:${first.port} max_fails=0;`,
        `    server ${then.host}:${then.port} max_fails=0 backup;`,
        `    keepalive ${defaults.KEPT_CONNECTIONS};`,
        `    keepalive_requests ${defaults.KEPT_REQUESTS};`,
        `    keepalive_time ${defaults.KEPT_AGE_SECONDS}s;`,
        `    keepalive_timeout ${defaults.KEPT_IDLE_SECONDS}s;`,
        "}",
        "",
    ];
}

/**
 * While the drain file is there, answers come from the named location, which differs only in that
 * each is the last one of its connection.
 */
function server(settings: RouterSettings): string[] {
    const { pool } = variables(settings);
    const pass = [
        ...(givesCookie(settings.sticky)
            ? ["    add_header Set-Cookie $given_cookie always;"]
            : []),
        `    proxy_pass http://${pool};`,
    ];
    return [
        "server {",
        ...[
            `listen ${defaults.ROUTER_PORT};`,
            "",
            `location = ${defaults.HEALTH_PATH} {`,
            "    access_log off;",
            '    return 200 "ok\\n";',
            "}",
            "",
            "location / {",
            "    error_page 418 = @draining;",
            `    if (-f ${defaults.DRAIN_FILE}) {`,
            "        return 418;",
            "    }",
            ...pass,
            "}",
            "",
            "location @draining {",
            "    keepalive_timeout 0;",
            ...pass,
            "}",
        ].map(indent),
        "}",
    ];
}

function indent(line: string): string {
    return line === "" ? "" : `    ${line}`;
}
