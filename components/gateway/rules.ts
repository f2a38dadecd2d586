import { oneOf, pathOf, show, type Violation } from "../validation/violation";
import {
    LONGEST_ACCEPT_DEADLINE_SECONDS,
    LONGEST_TIMEOUT_SECONDS,
    MOST_ENTRIES,
    WEIGHT_PER_PERCENT,
} from "./defaults";
import type { GatewayBackend, GatewaySettings } from "./settings";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const HEADER = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}$/;
const SHORTEST_TIMEOUT_SECONDS = 0.1;

/** Every violation in the settings of a route, below the path `gateway`. */
export function gatewayRules(settings: GatewaySettings): Violation[] {
    const { parent, requestTimeoutSeconds, backendTimeoutSeconds } = settings;
    return [
        ...name("parent.name", parent.name, SUBDOMAIN, 253),
        ...name("parent.namespace", parent.namespace, LABEL, 63),
        ...name("parent.sectionName", parent.sectionName, SUBDOMAIN, 253),
        ...hostnameRules(settings.hostnames),
        ...timeout("requestTimeoutSeconds", requestTimeoutSeconds, LONGEST_TIMEOUT_SECONDS),
        ...timeout(
            "backendTimeoutSeconds",
            backendTimeoutSeconds,
            requestTimeoutSeconds ?? LONGEST_TIMEOUT_SECONDS,
            requestTimeoutSeconds === undefined ? "" : " (gateway.requestTimeoutSeconds)",
        ),
        ...headerRules(settings.previewHeader),
        ...deadlineRules(settings.acceptDeadlineSeconds),
    ];
}

/** Every violation in the backends of a route, below the path `backends`. */
export function backendRules(backends: readonly GatewayBackend[]): Violation[] {
    if (backends.length === 0 || backends.length > MOST_ENTRIES) {
        const expected = `a list of 1 to ${MOST_ENTRIES} backends`;
        return [{ path: "backends", got: show(backends), expected }];
    }
    const found = backends.flatMap(({ weight }, index): Violation[] => {
        if (weight >= 0 && weight <= 100 && isInteger(weight * WEIGHT_PER_PERCENT)) return [];
        const expected = "a percentage from 0 to 100 with at most one decimal";
        return [{ path: pathOf(["backends", index, "weight"]), got: show(weight), expected }];
    });
    const total = backends.reduce((sum, { weight }) => sum + weight, 0);
    if (found.length === 0 && Math.round(total * WEIGHT_PER_PERCENT) !== 100 * WEIGHT_PER_PERCENT) {
        const expected = "weights that sum to 100";
        found.push({ path: "backends", got: `weights that sum to ${total}`, expected });
    }
    return found;
}

function name(
    path: string,
    value: string | undefined,
    pattern: RegExp,
    longest: number,
): Violation[] {
    if (value === undefined || (pattern.test(value) && value.length <= longest)) return [];
    const dots = pattern === SUBDOMAIN ? `, "-" and "."` : ` and "-"`;
    const expected = `at most ${longest} lower-case letters, digits${dots}, with a letter or digit at both ends`;
    return [{ path: `gateway.${path}`, got: show(value), expected }];
}

function hostnameRules(hostnames: string[] | undefined): Violation[] {
    if (hostnames === undefined) return [];
    if (hostnames.length === 0 || hostnames.length > MOST_ENTRIES) {
        const expected = `1 to ${MOST_ENTRIES} host names, or no such key for all that the Gateway listens for`;
        return [{ path: "gateway.hostnames", got: show(hostnames), expected }];
    }
    return hostnames.flatMap((host, index): Violation[] => {
        const path = pathOf(["gateway", "hostnames", index]);
        const plain = host.replace(/^\*\./, "");
        const isAddress = /^[\d.]+$/.test(plain);
        if (!SUBDOMAIN.test(plain) || host.length > 253 || isAddress) {
            const expected = `a host name like "api.example.com" or "*.example.com", in lower case, without port; no IP address`;
            return [{ path, got: show(host), expected }];
        }
        const first = hostnames.indexOf(host);
        if (first === index) return [];
        return [
            { path, got: show(host), expected: `each host once; it is hostnames[${first}] too` },
        ];
    });
}

function timeout(path: string, value: number | undefined, longest: number, why = ""): Violation[] {
    if (value === undefined) return [];
    const whole = isInteger(value * 1000);
    if (value >= SHORTEST_TIMEOUT_SECONDS && value <= longest && whole) return [];
    const expected = `seconds from ${SHORTEST_TIMEOUT_SECONDS} to ${longest}${why}, to the millisecond`;
    return [{ path: `gateway.${path}`, got: show(value), expected }];
}

function headerRules(header: string | undefined): Violation[] {
    if (header === undefined) return [];
    const reserved = ["host", "connection", "content-length", "transfer-encoding"];
    if (!HEADER.test(header)) {
        const expected = `the name of a header, like "X-Preview"`;
        return [{ path: "gateway.previewHeader", got: show(header), expected }];
    }
    if (!reserved.includes(header.toLowerCase())) return [];
    const expected = `another header than ${oneOf(reserved)}, which mean something to every proxy`;
    return [{ path: "gateway.previewHeader", got: show(header), expected }];
}

function deadlineRules(seconds: number | undefined): Violation[] {
    const longest = LONGEST_ACCEPT_DEADLINE_SECONDS;
    if (seconds === undefined) return [];
    if (Number.isInteger(seconds) && seconds >= 1 && seconds <= longest) return [];
    const expected = `a whole number of seconds from 1 to ${longest}`;
    return [{ path: "gateway.acceptDeadlineSeconds", got: show(seconds), expected }];
}

/** Whether the product of a decimal is a whole number: 0.1 * 3 is not 0.3 in binary. */
function isInteger(value: number): boolean {
    return Math.abs(value - Math.round(value)) < 1e-6;
}
