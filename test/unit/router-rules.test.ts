import assert from "node:assert/strict";
import {
    backendRules,
    routerRules,
    type Backend,
    type RouterContext,
    type RouterSettings,
} from "../../components/router";
import { describe as text } from "../../components/validation/violation";
import { accepted, sides } from "./router/cases";

const problems = (settings: RouterSettings, context?: RouterContext) =>
    routerRules(settings, context).map(text);

const NODE_PORT = { serviceType: "NodePort" };
const ADDRESS = "router.sticky.clientAddress";

describe("the rules of the router", () => {
    it("take every setting that nginx takes", () => {
        for (const [name, settings] of Object.entries(accepted)) {
            const local = { ...settings, externalTrafficPolicy: "Local" };
            assert.deepEqual(problems(local, NODE_PORT), [], name);
        }
        assert.deepEqual(routerRules(), []);
    });

    const refused: [string, RouterSettings, string][] = [
        [
            "a name that is no label",
            { name: "Router" },
            'router.name: got "Router", expected at most 40 lower-case letters, digits and "-", starting with a letter',
        ],
        [
            "an image whose tag moves",
            { image: "nginx:latest" },
            'router.image: got "nginx:latest", expected an image with a digest (name@sha256:…) or a tag that never moves (nginx:1.30.4)',
        ],
        [
            "an image without a tag",
            { image: "registry:5000/nginx" },
            'router.image: got "registry:5000/nginx", expected an image with a digest (name@sha256:…) or a tag that never moves (nginx:1.30.4)',
        ],
        [
            "no pods",
            { replicas: 0 },
            "router.replicas: got 0, expected a whole number from 1 to 100",
        ],
        [
            "two keys of a client",
            { sticky: { header: "X-User-Id", cookie: "session" } },
            "router.sticky: got header and cookie, expected exactly one of header, cookie and clientAddress",
        ],
        [
            "no key of a client",
            { sticky: {} },
            "router.sticky: got none of them, expected exactly one of header, cookie and clientAddress",
        ],
        [
            "a header that would be code in nginx's config",
            { sticky: { header: "X-User; return 200" } },
            'router.sticky.header: got "X-User; return 200", expected the name of a header: at most 63 letters, digits and "-", starting with a letter',
        ],
        [
            "a cookie that nginx cannot read",
            { sticky: { cookie: "session-id" } },
            'router.sticky.cookie: got "session-id", expected a cookie\'s name of at most 63 letters, digits and "_": nginx can read no other',
        ],
        [
            "the age of no cookie",
            { sticky: { header: "X-User-Id", cookieMaxAgeSeconds: 60 } },
            "router.sticky.cookieMaxAgeSeconds: got 60, expected nothing without router.sticky.cookie, the cookie that it is the age of",
        ],
        [
            "a seed that would be a variable",
            { sticky: { header: "X-User-Id", seed: "$host" } },
            'router.sticky.seed: got "$host", expected at most 63 letters, digits, ".", "_" and "-"',
        ],
        [
            "one header for two things",
            { sticky: { header: "X-Side" }, previewHeader: "x-side" },
            'router.previewHeader: got "x-side", expected another header than router.sticky.header, whose values are not sides',
        ],
        [
            "a size that is none",
            { maxBodySize: "10 MB" },
            'router.maxBodySize: got "10 MB", expected a size as nginx writes it, like "512k" or "10m"',
        ],
        [
            "a wait without an end",
            { timeouts: { readSeconds: 0 } },
            "router.timeouts.readSeconds: got 0, expected a whole number from 1 to 3600",
        ],
        [
            "half a second",
            { drainSeconds: 0.5 },
            "router.drainSeconds: got 0.5, expected a whole number from 0 to 3600",
        ],
        [
            "a policy that Kubernetes does not have",
            { externalTrafficPolicy: "local" },
            'router.externalTrafficPolicy: got "local", expected "Cluster" or "Local"',
        ],
        [
            "a header that anybody could set",
            { sticky: { clientAddress: { trustedHeader: "X-Real-IP" } } },
            `${ADDRESS}.trustedProxies: missing, expected the addresses of the proxies that may set trustedHeader; anybody else could pose as anyone`,
        ],
        [
            "a range that is none",
            {
                sticky: {
                    clientAddress: { trustedHeader: "X-Real-IP", trustedProxies: ["10.0.0.0/33"] },
                },
            },
            `${ADDRESS}.trustedProxies[0]: got "10.0.0.0/33", expected an IP address or a range of them, like 10.0.0.0/8`,
        ],
    ];
    for (const [what, settings, message] of refused) {
        it(`refuse ${what}`, () => {
            assert.deepEqual(problems(settings, NODE_PORT), [message]);
        });
    }

    it("refuse a client's address that the cluster may have replaced", () => {
        const settings = { sticky: { clientAddress: {} } };
        const message =
            `${ADDRESS}: got {}, expected a trustedHeader with its trustedProxies, or ` +
            "router.externalTrafficPolicy Local: without either the router may see the address of a " +
            "node or a proxy instead of the client's";
        assert.deepEqual(problems(settings), [message]);
        const cluster = { ...settings, externalTrafficPolicy: "Cluster" };
        assert.deepEqual(problems(cluster, NODE_PORT), [message]);
        assert.deepEqual(problems({ ...settings, externalTrafficPolicy: "Local" }, NODE_PORT), []);
    });

    it("refuse a policy for what comes from outside where nothing does", () => {
        assert.deepEqual(problems({ externalTrafficPolicy: "Local" }), [
            'router.externalTrafficPolicy: got "Local", expected nothing with serviceType "ClusterIP", which only the inside of the cluster reaches',
        ]);
    });

    it("complain of everything at once", () => {
        const paths = routerRules({ name: "-", replicas: 1.5, drainSeconds: -1 }).map(
            ({ path }) => path,
        );
        assert.deepEqual(paths, ["router.name", "router.replicas", "router.drainSeconds"]);
    });
});

describe("the rules of the sides", () => {
    const [stable, canary] = sides(10) as [Backend, Backend];
    const wrong = (...backends: Backend[]) => backendRules(backends).map(text);

    it("take what sums to 100 in tenths of a percent", () => {
        for (const weight of [0, 0.1, 10, 33.3, 99.9, 100]) {
            assert.deepEqual(backendRules(sides(weight)), [], String(weight));
        }
    });

    it("refuse shares that do not sum to 100", () => {
        assert.deepEqual(wrong(stable, { ...canary, weight: 20 }), [
            "backends: got 110, expected weights that sum to 100",
        ]);
    });

    it("refuse a share that nginx would round", () => {
        const found = wrong({ ...stable, weight: 99.95 }, { ...canary, weight: 0.05 });
        assert.ok(
            found.includes(
                "backends[1].weight: got 0.05, expected a number from 0 to 100 with at most one decimal",
            ),
            found.join("\n"),
        );
    });

    it("refuse none, and two, that have the rest", () => {
        assert.deepEqual(wrong({ ...stable, main: false }, canary), [
            "backends: got [], expected exactly one main side",
        ]);
        assert.deepEqual(wrong(stable, { ...canary, main: true }), [
            'backends: got ["stable","canary"], expected exactly one main side',
        ]);
    });

    it("refuse a side twice, and what would be code in nginx's config", () => {
        assert.deepEqual(wrong(stable, { ...canary, side: "stable" }), [
            'backends: got ["stable","stable"], expected each side once',
        ]);
        const release = '1"; return 200 "';
        assert.deepEqual(wrong(stable, { ...canary, host: "a b", release }), [
            'backends[1].host: got "a b", expected a host name',
            `backends[1].release: got ${JSON.stringify(release)}, expected the name of a release`,
        ]);
    });
});
