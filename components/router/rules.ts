import { isIP } from "node:net";
import { wholeNumberBetween } from "../validation/numbers";
import { oneOf, pathOf, show, type Violation } from "../validation/violation";
import type { Backend, RouterSettings, StickyArgs } from "./settings";

/** What the rules must know about the rest of the stack. */
export interface RouterContext {
    /** How the public Service is exposed: `ClusterIP`, `NodePort` or `LoadBalancer`. */
    serviceType?: string;
}

const DAY_SECONDS = 86_400;
/** Browsers keep no cookie for longer than 400 days. */
const COOKIE_DAYS = 400;
/** Leaves room for the hash in the names of config maps, and in those of pods. */
const NAME_CHARACTERS = 40;

/**
 * Every violation in the router's settings, in the order in which they are documented. Much of what
 * they hold becomes part of nginx's config, so what could mean something else there is refused.
 */
export function routerRules(
    settings: RouterSettings = {},
    { serviceType = "ClusterIP" }: RouterContext = {},
): Violation[] {
    const { timeouts = {} } = settings;
    return [
        ...text("router.name", settings.name, NAME, NAME_EXPECTED),
        ...imageRules(settings.image),
        ...wholeNumberBetween("router.replicas", settings.replicas, 1, 100),
        ...stickyRules(settings),
        ...previewRules(settings),
        ...text("router.maxBodySize", settings.maxBodySize, /^[1-9]\d{0,6}[kKmM]?$/, SIZE_EXPECTED),
        ...wholeNumberBetween("router.timeouts.connectSeconds", timeouts.connectSeconds, 1, 75),
        ...wholeNumberBetween("router.timeouts.readSeconds", timeouts.readSeconds, 1, 3600),
        ...wholeNumberBetween("router.timeouts.clientSeconds", timeouts.clientSeconds, 1, 3600),
        ...wholeNumberBetween("router.timeouts.idleSeconds", timeouts.idleSeconds, 1, 3600),
        ...wholeNumberBetween(
            "router.maxConnectionAgeSeconds",
            settings.maxConnectionAgeSeconds,
            1,
            DAY_SECONDS,
        ),
        ...wholeNumberBetween("router.drainSeconds", settings.drainSeconds, 0, 3600),
        ...policyRules(settings, serviceType),
    ];
}

const NAME = new RegExp(`^[a-z][-a-z0-9]{0,${NAME_CHARACTERS - 2}}[a-z0-9]$|^[a-z]$`);
const NAME_EXPECTED = `at most ${NAME_CHARACTERS} lower-case letters, digits and "-", starting with a letter`;
const SIZE_EXPECTED = `a size as nginx writes it, like "512k" or "10m"`;
const HEADER = /^[A-Za-z][-A-Za-z0-9]{0,62}$/;
const HEADER_EXPECTED = `the name of a header: at most 63 letters, digits and "-", starting with a letter`;
const COOKIE_EXPECTED = `a cookie's name of at most 63 letters, digits and "_": nginx can read no other`;

/** A tag that moves would make another router of the same config. */
function imageRules(value: string | undefined): Violation[] {
    if (value === undefined) return [];
    const digest = /^[^\s@]+@sha256:[0-9a-f]{64}$/;
    const tag = /^[^\s@]+:(?!latest$)[^/:\s@]+$/;
    if (digest.test(value) || tag.test(value)) return [];
    const expected =
        "an image with a digest (name@sha256:…) or a tag that never moves (nginx:1.30.4)";
    return [{ path: "router.image", got: show(value), expected }];
}

function stickyRules(settings: RouterSettings): Violation[] {
    const { sticky } = settings;
    if (sticky === undefined) return [];
    const path = "router.sticky";
    const keys = (["header", "cookie", "clientAddress"] as const).filter(
        (key) => sticky[key] !== undefined,
    );
    const found: Violation[] = [
        ...text(`${path}.header`, sticky.header, HEADER, HEADER_EXPECTED),
        ...text(`${path}.cookie`, sticky.cookie, /^\w{1,63}$/, COOKIE_EXPECTED),
        ...wholeNumberBetween(
            `${path}.cookieMaxAgeSeconds`,
            sticky.cookieMaxAgeSeconds,
            1,
            COOKIE_DAYS * DAY_SECONDS,
        ),
        ...text(
            `${path}.seed`,
            sticky.seed,
            /^[-.\w]{0,63}$/,
            `at most 63 letters, digits, ".", "_" and "-"`,
        ),
        ...addressRules(sticky, settings.externalTrafficPolicy),
    ];
    if (keys.length !== 1) {
        const got = keys.length === 0 ? "none of them" : keys.join(" and ");
        found.unshift({ path, got, expected: "exactly one of header, cookie and clientAddress" });
    }
    if (sticky.cookieMaxAgeSeconds !== undefined && sticky.cookie === undefined) {
        const expected = `nothing without ${path}.cookie, the cookie that it is the age of`;
        const got = show(sticky.cookieMaxAgeSeconds);
        found.push({ path: `${path}.cookieMaxAgeSeconds`, got, expected });
    }
    return found;
}

function addressRules({ clientAddress }: StickyArgs, policy: string | undefined): Violation[] {
    if (clientAddress === undefined) return [];
    const path = "router.sticky.clientAddress";
    const { trustedHeader, trustedProxies } = clientAddress;
    const found = text(`${path}.trustedHeader`, trustedHeader, HEADER, HEADER_EXPECTED);
    if (trustedHeader === undefined && policy !== "Local") {
        const expected =
            "a trustedHeader with its trustedProxies, or router.externalTrafficPolicy Local: without " +
            "either the router may see the address of a node or a proxy instead of the client's";
        found.push({ path, got: show(clientAddress), expected });
    }
    if (
        (trustedHeader === undefined) !==
        (trustedProxies === undefined || !trustedProxies.length)
    ) {
        const expected =
            trustedHeader === undefined
                ? "nothing without trustedHeader, the header that they are trusted with"
                : "the addresses of the proxies that may set trustedHeader; anybody else could pose as anyone";
        found.push({
            path: `${path}.trustedProxies`,
            got: trustedProxies && show(trustedProxies),
            expected,
        });
    }
    const wrong = (trustedProxies ?? []).flatMap((range, index): Violation[] =>
        isRange(range)
            ? []
            : [
                  {
                      path: pathOf(["router", "sticky", "clientAddress", "trustedProxies", index]),
                      got: show(range),
                      expected: "an IP address or a range of them, like 10.0.0.0/8",
                  },
              ],
    );
    return [...found, ...wrong];
}

function isRange(value: string): boolean {
    const [address = "", bits, ...more] = value.split("/");
    const version = isIP(address);
    if (version === 0 || address.includes("%") || more.length > 0) return false;
    return (
        bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
    );
}

function previewRules({ previewHeader, sticky }: RouterSettings): Violation[] {
    const path = "router.previewHeader";
    const found = text(path, previewHeader, HEADER, HEADER_EXPECTED);
    if (
        previewHeader !== undefined &&
        previewHeader.toLowerCase() === sticky?.header?.toLowerCase()
    ) {
        const expected = "another header than router.sticky.header, whose values are not sides";
        found.push({ path, got: show(previewHeader), expected });
    }
    return found;
}

function policyRules({ externalTrafficPolicy: policy }: RouterSettings, serviceType: string) {
    const path = "router.externalTrafficPolicy";
    if (policy === undefined) return [];
    if (policy !== "Cluster" && policy !== "Local") {
        return [{ path, got: show(policy), expected: oneOf(["Cluster", "Local"]) }];
    }
    if (serviceType !== "ClusterIP") return [];
    const expected = `nothing with serviceType "ClusterIP", which only the inside of the cluster reaches`;
    return [{ path, got: show(policy), expected }];
}

/** Every violation among the sides of the split: a mistake of a program, not of a stack's config. */
export function backendRules(backends: readonly Backend[]): Violation[] {
    const found = backends.flatMap(backendRule);
    const sides = backends.map(({ side }) => side);
    if (new Set(sides).size < sides.length) {
        found.push({ path: "backends", got: show(sides), expected: "each side once" });
    }
    const mains = backends.filter(({ main }) => main).map(({ side }) => side);
    if (mains.length !== 1) {
        found.push({ path: "backends", got: show(mains), expected: "exactly one main side" });
    }
    const total = backends.reduce((sum, { weight }) => sum + Math.round(weight * 10), 0) / 10;
    if (total !== 100) {
        found.push({ path: "backends", got: show(total), expected: "weights that sum to 100" });
    }
    return found;
}

function backendRule({ side, host, port, weight, release }: Backend, index: number): Violation[] {
    const path = (key: string) => pathOf(["backends", index, key]);
    const found = [
        ...text(path("side"), side, /^[a-z][a-z0-9]{0,30}$/, "lower-case letters and digits"),
        ...text(path("host"), host, /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/, "a host name"),
        ...wholeNumberBetween(path("port"), port, 1, 65_535),
        ...text(path("release"), release, /^[-.\w]{1,63}$/, "the name of a release"),
    ];
    const tenths = weight * 10;
    if (!(weight >= 0 && weight <= 100) || Math.abs(tenths - Math.round(tenths)) > 1e-9) {
        const expected = "a number from 0 to 100 with at most one decimal";
        found.push({ path: path("weight"), got: show(weight), expected });
    }
    return found;
}

function text(
    path: string,
    value: string | undefined,
    allowed: RegExp,
    expected: string,
): Violation[] {
    return value === undefined || allowed.test(value) ? [] : [{ path, got: show(value), expected }];
}
