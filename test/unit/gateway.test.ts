import assert from "node:assert/strict";
import fc from "fast-check";
import { grantSpecs, routeSpec } from "../../components/gateway/manifest";
import { backendRules, gatewayRules } from "../../components/gateway/rules";
import type { GatewayBackend, GatewaySettings } from "../../components/gateway/settings";
import { describe as describeViolation } from "../../components/validation/violation";
import { gateway as schema } from "../../schema/gateway";

const settings: GatewaySettings = { parent: { name: "main", namespace: "infra" } };

function backend(side: string, weight: number, namespace = "shop"): GatewayBackend {
    return { service: `users-${side}`, namespace, port: 80, weight, side };
}

describe("gateway: the HTTPRoute's spec", () => {
    it("splits by weights, in tenths of a percent", () => {
        const spec = routeSpec("shop", [backend("stable", 99.9), backend("canary", 0.1)], settings);
        assert.deepEqual(spec, {
            parentRefs: [{ name: "main", namespace: "infra" }],
            rules: [
                {
                    backendRefs: [
                        { name: "users-canary", namespace: "shop", port: 80, weight: 1 },
                        { name: "users-stable", namespace: "shop", port: 80, weight: 999 },
                    ],
                },
            ],
        });
    });

    it("keeps a backend without traffic, at weight 0", () => {
        const { rules } = routeSpec("shop", [backend("blue", 0), backend("green", 100)], settings);
        assert.deepEqual(
            rules[0]?.backendRefs.map(({ weight }) => weight),
            [0, 1000],
        );
    });

    it("gives every tenth of a percent a weight of its own, and always the same total", () => {
        fc.assert(
            fc.property(fc.integer({ min: 0, max: 1000 }), (tenths) => {
                const backends = [
                    backend("blue", tenths / 10),
                    backend("green", (1000 - tenths) / 10),
                ];
                assert.deepEqual(backendRules(backends), []);
                const weights = routeSpec("shop", backends, settings).rules[0]?.backendRefs.map(
                    ({ weight }) => weight,
                );
                assert.deepEqual(weights, [tenths, 1000 - tenths]);
            }),
        );
    });

    it("is the same whatever the order of the backends", () => {
        const backends = [backend("blue", 30, "shop-blue"), backend("green", 70, "shop-green")];
        const preview = { ...settings, previewHeader: "X-Side" };
        assert.deepEqual(
            routeSpec("shop", backends, preview),
            routeSpec("shop", backends.toReversed(), preview),
        );
    });

    it("takes its own namespace for the Gateway's, and passes on listener and host names", () => {
        const { parentRefs, hostnames } = routeSpec("shop", [backend("blue", 100)], {
            parent: { name: "main", sectionName: "https" },
            hostnames: ["users.example.com"],
        });
        assert.deepEqual(parentRefs, [{ name: "main", namespace: "shop", sectionName: "https" }]);
        assert.deepEqual(hostnames, ["users.example.com"]);
    });

    it("sends a request with the preview header to the side that it names", () => {
        const named = backend("green", 0);
        const nameless = { ...backend("blue", 100), side: undefined };
        const { rules } = routeSpec("shop", [nameless, named], {
            ...settings,
            previewHeader: "X-Side",
        });
        assert.equal(rules.length, 2);
        assert.deepEqual(rules[0], {
            matches: [{ headers: [{ name: "X-Side", value: "green" }] }],
            backendRefs: [{ name: "users-green", namespace: "shop", port: 80, weight: 1000 }],
        });
    });

    const durations: [seconds: number, written: string][] = [
        [10, "10s"],
        [0.5, "500ms"],
        [1.25, "1s250ms"],
        [3600, "3600s"],
    ];
    for (const [seconds, written] of durations) {
        it(`writes a timeout of ${seconds} s as ${written}, in every rule`, () => {
            const { rules } = routeSpec("shop", [backend("blue", 100)], {
                ...settings,
                previewHeader: "X-Side",
                requestTimeoutSeconds: seconds,
            });
            assert.deepEqual(
                rules.map(({ timeouts }) => timeouts),
                [{ request: written }, { request: written }],
            );
            const both = {
                ...settings,
                requestTimeoutSeconds: seconds,
                backendTimeoutSeconds: 0.1,
            };
            const [rule] = routeSpec("shop", [backend("blue", 100)], both).rules;
            assert.deepEqual(rule?.timeouts, { request: written, backendRequest: "100ms" });
        });
    }
});

describe("gateway: ReferenceGrants", () => {
    it("let the route into every other namespace, to just the backends there", () => {
        const backends = [
            backend("blue", 50, "shop-blue"),
            backend("green", 50, "shop-green"),
            backend("extra", 0, "shop-blue"),
            backend("own", 0),
        ];
        const from = [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "shop" }];
        const service = (name: string) => ({ group: "", kind: "Service", name });
        assert.deepEqual(
            [...grantSpecs("shop", backends)],
            [
                ["shop-blue", { from, to: [service("users-blue"), service("users-extra")] }],
                ["shop-green", { from, to: [service("users-green")] }],
            ],
        );
    });

    it("are none where all is in the route's namespace", () => {
        assert.equal(grantSpecs("shop", [backend("blue", 100)]).size, 0);
    });
});

describe("gateway: rules for its settings", () => {
    it("let documented settings pass", () => {
        const full: Required<GatewaySettings> = {
            parent: { name: "main.eu", namespace: "infra", sectionName: "https" },
            hostnames: ["api.example.com", "*.example.com"],
            requestTimeoutSeconds: 10,
            backendTimeoutSeconds: 2.5,
            previewHeader: "X-Cutover-Side",
            acceptDeadlineSeconds: 300,
        };
        assert.deepEqual(gatewayRules(full), []);
        assert.deepEqual(schema.parse(full), full);
        assert.deepEqual(gatewayRules(settings), []);
    });

    const refused: [change: Partial<GatewaySettings>, message: string][] = [
        [
            { parent: { name: "Main" } },
            'gateway.parent.name: got "Main", expected at most 253 lower-case letters, digits, "-" and ".", with a letter or digit at both ends',
        ],
        [
            { parent: { name: "main", namespace: "a.b" } },
            'gateway.parent.namespace: got "a.b", expected at most 63 lower-case letters, digits and "-", with a letter or digit at both ends',
        ],
        [
            { parent: { name: "main", sectionName: "-" } },
            'gateway.parent.sectionName: got "-", expected at most 253 lower-case letters, digits, "-" and ".", with a letter or digit at both ends',
        ],
        [
            { hostnames: [] },
            "gateway.hostnames: got [], expected 1 to 16 host names, or no such key for all that the Gateway listens for",
        ],
        [
            { hostnames: ["ok.example.com", "https://x.example.com"] },
            'gateway.hostnames[1]: got "https://x.example.com", expected a host name like "api.example.com" or "*.example.com", in lower case, without port; no IP address',
        ],
        [
            { hostnames: ["10.0.0.1"] },
            'gateway.hostnames[0]: got "10.0.0.1", expected a host name like "api.example.com" or "*.example.com", in lower case, without port; no IP address',
        ],
        [
            { hostnames: ["a.example.com", "a.example.com"] },
            'gateway.hostnames[1]: got "a.example.com", expected each host once; it is hostnames[0] too',
        ],
        [
            { requestTimeoutSeconds: 0 },
            "gateway.requestTimeoutSeconds: got 0, expected seconds from 0.1 to 3600, to the millisecond",
        ],
        [
            { requestTimeoutSeconds: 2, backendTimeoutSeconds: 3 },
            "gateway.backendTimeoutSeconds: got 3, expected seconds from 0.1 to 2 (gateway.requestTimeoutSeconds), to the millisecond",
        ],
        [
            { backendTimeoutSeconds: 1.00005 },
            "gateway.backendTimeoutSeconds: got 1.00005, expected seconds from 0.1 to 3600, to the millisecond",
        ],
        [
            { previewHeader: "X Side" },
            'gateway.previewHeader: got "X Side", expected the name of a header, like "X-Preview"',
        ],
        [
            { previewHeader: "Host" },
            'gateway.previewHeader: got "Host", expected another header than "host", "connection", "content-length" or "transfer-encoding", which mean something to every proxy',
        ],
        [
            { acceptDeadlineSeconds: 601 },
            "gateway.acceptDeadlineSeconds: got 601, expected a whole number of seconds from 1 to 600",
        ],
    ];
    for (const [change, message] of refused) {
        it(`refuse ${JSON.stringify(change)}`, () => {
            const found = gatewayRules({ ...settings, ...change });
            assert.deepEqual(found.map(describeViolation), [message]);
        });
    }

    it("say all that is wrong at once", () => {
        const found = gatewayRules({ parent: { name: "" }, hostnames: ["_"], previewHeader: "" });
        assert.deepEqual(
            found.map(({ path }) => path),
            ["gateway.parent.name", "gateway.hostnames[0]", "gateway.previewHeader"],
        );
    });

    const backends: [name: string, backends: GatewayBackend[], message: string][] = [
        ["none", [], "backends: got [], expected a list of 1 to 16 backends"],
        [
            "a weight below 0",
            [backend("blue", -1), backend("green", 101)],
            "backends[0].weight: got -1, expected a percentage from 0 to 100 with at most one decimal",
        ],
        [
            "two decimals",
            [backend("blue", 99.95), backend("green", 0.05)],
            "backends[0].weight: got 99.95, expected a percentage from 0 to 100 with at most one decimal",
        ],
        [
            "a split of something else than everything",
            [backend("blue", 50), backend("green", 40)],
            "backends: got weights that sum to 90, expected weights that sum to 100",
        ],
    ];
    for (const [name, given, message] of backends) {
        it(`refuse backends: ${name}`, () => {
            assert.equal(backendRules(given).map(describeViolation)[0], message);
        });
    }
});
