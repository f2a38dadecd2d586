import assert from "node:assert/strict";
import { ConfigError, desiredOf, parseSettings, refuseTransition } from "../../config";
import { plan } from "../../components/plan";

type Changes = Record<string, unknown>;

const SMALLEST =
    "the pods of the smallest live side, which must never be at zero; a percentage is rounded down";

/** A config that is accepted with every strategy. */
const good: Changes = {
    releases: {
        "1.0.0": { image: "registry/api:1.0.0" },
        "2.0.0": { image: "registry/api:2.0.0" },
    },
    blue: "1.0.0",
    green: "2.0.0",
    stable: "1.0.0",
    canary: "2.0.0",
    current: "1.0.0",
};

/** Name, what is changed in the good config (`undefined`: taken out), and the lines of the error. */
const cases: [string, Changes, string[]][] = [
    [
        "a rolling update behind nginx",
        { strategy: "rolling", routing: "nginx" },
        ['cutover:routing: got "nginx", expected "service" with strategy "rolling"'],
    ],
    [
        "a rolling update behind a Gateway",
        { strategy: "rolling", routing: "gateway", gateway: { parent: { name: "edge" } } },
        ['cutover:routing: got "gateway", expected "service" with strategy "rolling"'],
    ],
    [
        "a rolling update in two namespaces",
        { strategy: "rolling", isolation: "namespaces" },
        [
            'cutover:isolation: got "namespaces", expected "shared" with strategy "rolling": only the colors of a "blueGreen" pair have a namespace each',
        ],
    ],
    [
        "a canary pair in two namespaces",
        { strategy: "canary", routing: "nginx", isolation: "namespaces" },
        [
            'cutover:isolation: got "namespaces", expected "shared" with strategy "canary": only the colors of a "blueGreen" pair have a namespace each',
        ],
    ],
    [
        "two namespaces behind one selector",
        { isolation: "namespaces" },
        [
            'cutover:isolation: got "namespaces", expected "shared" with routing "service": a Service\'s selector cannot reach into another namespace; "nginx" and "gateway" can',
        ],
    ],
    [
        "an unknown routing",
        { routing: "ingress" },
        ['cutover:routing: got "ingress", expected "service", "nginx" or "gateway"'],
    ],
    [
        "an unknown isolation",
        { isolation: "namespace" },
        ['cutover:isolation: got "namespace", expected "shared" or "namespaces"'],
    ],
    [
        "all three unknown at once",
        { strategy: "recreate", routing: "istio", isolation: "clusters" },
        [
            'cutover:strategy: got "recreate", expected "rolling", "blueGreen" or "canary"',
            'cutover:routing: got "istio", expected "service", "nginx" or "gateway"',
            'cutover:isolation: got "clusters", expected "shared" or "namespaces"',
        ],
    ],
    [
        "a rolling update without a release",
        { strategy: "rolling", current: undefined },
        [
            'cutover:current: missing, expected the name of a release: strategy "rolling" sends its traffic there, and the live side must never be at zero',
        ],
    ],
    [
        "a canary pair without a stable release",
        { strategy: "canary", stable: undefined },
        [
            'cutover:stable: missing, expected the name of a release: strategy "canary" sends its traffic there, and the live side must never be at zero',
        ],
    ],
    [
        "a weight for a canary without a release",
        { strategy: "canary", canary: undefined, canaryWeight: 10 },
        ["cutover:canaryWeight: got 10, expected 0 while canary has no release: name it in canary"],
    ],
    [
        "a canary of an undeclared release",
        { strategy: "canary", canary: "2.0.1" },
        [
            'cutover:canary: got "2.0.1", expected one of the declared releases: "1.0.0" or "2.0.0"; did you mean "2.0.0"?',
        ],
    ],
    [
        "a rolling update to an undeclared release",
        { strategy: "rolling", current: "3" },
        ['cutover:current: got "3", expected one of the declared releases: "1.0.0" or "2.0.0"'],
    ],
    [
        "a weight of a rolling update",
        { strategy: "rolling", canaryWeight: 10 },
        ['cutover:canaryWeight: got 10, expected 0 with strategy "rolling", which has one side'],
    ],
    [
        "a weight that a selector cannot split",
        { canaryWeight: 10 },
        [
            'cutover:canaryWeight: got 10, expected 0 with strategy "blueGreen" and routing "service": a selector cannot split; routing "nginx" or "gateway" can',
        ],
    ],
    [
        "all traffic for the idle color by its weight",
        { routing: "nginx", canaryWeight: 100 },
        [
            'cutover:canaryWeight: got 100, expected less than 100 with strategy "blueGreen": to give the other color everything, change activeColor',
        ],
    ],
    [
        "a weight for an idle color without a release",
        { routing: "nginx", canaryWeight: 10, green: undefined },
        ["cutover:canaryWeight: got 10, expected 0 while green has no release: name it in green"],
    ],
    [
        "a weight above 100",
        { strategy: "canary", canaryWeight: 101 },
        [
            "cutover:canaryWeight: got 101, expected a percentage from 0 to 100 with at most one decimal",
        ],
    ],
    [
        "a negative weight",
        { strategy: "canary", canaryWeight: -1 },
        [
            "cutover:canaryWeight: got -1, expected a percentage from 0 to 100 with at most one decimal",
        ],
    ],
    [
        "a weight with two decimals",
        { strategy: "canary", canaryWeight: 12.25 },
        [
            "cutover:canaryWeight: got 12.25, expected a percentage from 0 to 100 with at most one decimal",
        ],
    ],
    [
        "a weight with a percent sign",
        { strategy: "canary", canaryWeight: "10%" },
        ['cutover:canaryWeight: got "10%", expected a number'],
    ],
    [
        "one pod for two tracks",
        { strategy: "canary", replicas: 1 },
        [
            'cutover:replicas: got 1, expected a whole number of at least 2 (strategy "canary" with routing "service" splits them between two sides)',
        ],
    ],
    [
        "a capacity floor of pods that are the split",
        { strategy: "canary", capacityFloor: 3 },
        [
            'cutover:capacityFloor: got 3, expected nothing with strategy "canary" and routing "service", where the numbers of pods are the split; routing "nginx" and "gateway" leave them free',
        ],
    ],
    [
        "a Service that is called like a side's own",
        { routing: "nginx", serviceName: "flask-api-green" },
        [
            'cutover:serviceName: got "flask-api-green", expected another name than those of the sides\' own Services with routing "nginx": "flask-api-blue" or "flask-api-green"',
        ],
    ],
    [
        "a Gateway with a key that is misspelt",
        { routing: "gateway", gateway: { parent: { nam: "edge" } } },
        [
            "cutover:gateway.parent.name: missing, expected a text",
            "cutover:gateway.parent.nam: got an unknown key, expected cutover:gateway.parent.name, the nearest known one",
        ],
    ],
    [
        "a Gateway that is not named",
        { routing: "gateway" },
        [
            'cutover:gateway: missing, expected the Gateway that the route belongs to, as routing is "gateway": {"parent": {"name": …}}',
        ],
    ],
    [
        "a Gateway whose name is none",
        { routing: "gateway", gateway: { parent: { name: "Edge_1" } } },
        [
            'cutover:gateway.parent.name: got "Edge_1", expected at most 253 lower-case letters, digits, "-" and ".", with a letter or digit at both ends',
        ],
    ],
    [
        "a host name that is an address",
        { routing: "gateway", gateway: { parent: { name: "edge" }, hostnames: ["10.0.0.1"] } },
        [
            'cutover:gateway.hostnames[0]: got "10.0.0.1", expected a host name like "api.example.com" or "*.example.com", in lower case, without port; no IP address',
        ],
    ],
    [
        "a backend's timeout above the request's",
        {
            routing: "gateway",
            gateway: {
                parent: { name: "edge" },
                requestTimeoutSeconds: 5,
                backendTimeoutSeconds: 6,
            },
        },
        [
            "cutover:gateway.backendTimeoutSeconds: got 6, expected seconds from 0.1 to 5 (gateway.requestTimeoutSeconds), to the millisecond",
        ],
    ],
    [
        "neither header nor cookie nor address to stick to",
        { routing: "nginx", router: { sticky: {} } },
        [
            "cutover:router.sticky: got none of them, expected exactly one of header, cookie and clientAddress",
        ],
    ],
    [
        "two things to stick to",
        { routing: "nginx", router: { sticky: { header: "X-User", cookie: "user" } } },
        [
            "cutover:router.sticky: got header and cookie, expected exactly one of header, cookie and clientAddress",
        ],
    ],
    [
        "a client's address that is lost on its way",
        { routing: "nginx", router: { sticky: { clientAddress: {} } } },
        [
            "cutover:router.sticky.clientAddress: got {}, expected a trustedHeader with its trustedProxies, or router.externalTrafficPolicy Local: without either the router may see the address of a node or a proxy instead of the client's",
        ],
    ],
    [
        "a trusted header that anybody may set",
        {
            routing: "nginx",
            router: { sticky: { clientAddress: { trustedHeader: "X-Forwarded-For" } } },
        },
        [
            "cutover:router.sticky.clientAddress.trustedProxies: missing, expected the addresses of the proxies that may set trustedHeader; anybody else could pose as anyone",
        ],
    ],
    [
        "a header that would be more than a name",
        { routing: "nginx", router: { sticky: { header: "X-User;" } } },
        [
            'cutover:router.sticky.header: got "X-User;", expected the name of a header: at most 63 letters, digits and "-", starting with a letter',
        ],
    ],
    [
        "no router at all",
        { routing: "nginx", router: { replicas: 0 } },
        ["cutover:router.replicas: got 0, expected a whole number from 1 to 100"],
    ],
    [
        "a router's image that moves",
        { routing: "nginx", router: { image: "nginx:latest" } },
        [
            'cutover:router.image: got "nginx:latest", expected an image with a digest (name@sha256:…) or a tag that never moves (nginx:1.30.4)',
        ],
    ],
    [
        "a body size in words",
        { routing: "nginx", router: { maxBodySize: "ten megabytes" } },
        [
            'cutover:router.maxBodySize: got "ten megabytes", expected a size as nginx writes it, like "512k" or "10m"',
        ],
    ],
    [
        "a traffic policy of a Service inside the cluster",
        { routing: "nginx", router: { externalTrafficPolicy: "Local" } },
        [
            'cutover:router.externalTrafficPolicy: got "Local", expected nothing with serviceType "ClusterIP", which only the inside of the cluster reaches',
        ],
    ],
    [
        "a preview header that is the sticky one",
        { routing: "nginx", router: { previewHeader: "x-user", sticky: { header: "X-User" } } },
        [
            'cutover:router.previewHeader: got "x-user", expected another header than router.sticky.header, whose values are not sides',
        ],
    ],
    [
        "a rolling update that can replace nothing",
        { strategy: "rolling", rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } },
        [
            'cutover:rollingUpdate.maxUnavailable: got "0", expected more than 0 while rollingUpdate.maxSurge is 0: no pod could be replaced',
        ],
    ],
    [
        "a rolling update that may take all pods away",
        { strategy: "rolling", rollingUpdate: { maxUnavailable: "100%" } },
        [
            'cutover:rollingUpdate.maxUnavailable: got "100%", expected less than 100%: the live side must never be at zero',
        ],
    ],
    [
        "a rolling update that may take as many pods as there are",
        { strategy: "rolling", replicas: 3, rollingUpdate: { maxUnavailable: 3 } },
        [`cutover:rollingUpdate.maxUnavailable: got "3", expected less than 3, ${SMALLEST}`],
    ],
    [
        "a rolling update that may take as many pods as an autoscaler may leave",
        {
            strategy: "rolling",
            replicas: 9,
            autoscaling: { minReplicas: 2 },
            rollingUpdate: { maxUnavailable: 2 },
        },
        [`cutover:rollingUpdate.maxUnavailable: got "2", expected less than 2, ${SMALLEST}`],
    ],
    [
        "a rolling update that may take the only pod of a canary",
        {
            strategy: "canary",
            canary: "2.0.0",
            canaryWeight: 20,
            rollingUpdate: { maxUnavailable: 1 },
        },
        [`cutover:rollingUpdate.maxUnavailable: got "1", expected less than 1, ${SMALLEST}`],
    ],
    [
        "a rolling update by a half",
        { strategy: "rolling", rollingUpdate: { maxSurge: "half" } },
        [
            'cutover:rollingUpdate.maxSurge: got "half", expected a whole number of pods, or a percentage like "25%"',
        ],
    ],
    [
        "steps that do not rise",
        {
            strategy: "canary",
            steps: [
                { setWeight: 40, pause: "10m" },
                { setWeight: 20, pause: "10m" },
            ],
        },
        [
            "cutover:steps[1].setWeight: got 20, expected more than 40, the weight of the step before",
        ],
    ],
    [
        "a step with a pause in no unit",
        { strategy: "canary", steps: [{ setWeight: 20, pause: 600 }] },
        [
            'cutover:steps[0].pause: got "600", expected a duration like "30s", "10m" or "1h", or "manual"',
        ],
    ],
    [
        "a step without a pause",
        { strategy: "canary", steps: [{ setWeight: 20 }] },
        ["cutover:steps[0].pause: missing, expected a text"],
    ],
    [
        "a step to 0",
        { strategy: "canary", steps: [{ setWeight: 0, pause: "1m" }] },
        ["cutover:steps[0].setWeight: got 0, expected a whole number from 1 to 100"],
    ],
    [
        "a gate that does not wait",
        { gateDeadlineSeconds: 0 },
        ["cutover:gateDeadlineSeconds: got 0, expected a whole number from 10 to 3600"],
    ],
    [
        "a port of the Service that is none",
        { servicePort: 0 },
        ["cutover:servicePort: got 0, expected a whole number from 1 to 65535"],
    ],
    [
        "a peer that is both address and pods",
        { network: { ingress: [{ cidr: "10.0.0.0/8", podSelector: { app: "web" } }] } },
        [
            'cutover:network.ingress[0]: got {"podSelector":{"app":"web"},"cidr":"10.0.0.0/8"}, expected either labels (namespaceSelector, podSelector) or addresses (cidr)',
        ],
    ],
    [
        "a peer that is nobody",
        { network: { egress: [{}] } },
        [
            "cutover:network.egress[0]: got {}, expected either labels (namespaceSelector, podSelector) or addresses (cidr)",
        ],
    ],
    [
        "an address that is none",
        { network: { egress: [{ cidr: "example.com" }] } },
        ['cutover:network.egress[0].cidr: got "example.com", expected a network like "10.0.0.0/8"'],
    ],
    [
        "an unknown key in network",
        { network: { ingres: [] } },
        [
            "cutover:network.ingres: got an unknown key, expected cutover:network.ingress, the nearest known one",
        ],
    ],
    [
        "an external database with a volume",
        { database: { host: "pg.example.com", storage: "10Gi" } },
        [
            "cutover:database.password: missing, expected the API's password, encrypted, or in its place database.passwordSecret, a Secret that exists",
            "cutover:database.storage: got a value, expected none with database.host: it is for a server of the stack's own",
        ],
    ],
    [
        "a database's size in words",
        { database: { storage: "plenty" } },
        ['cutover:database.storage: got "plenty", expected a size greater than 0 like "10Gi"'],
    ],
    [
        "a probe's path without a slash",
        { api: { probes: { readiness: { path: "ready" } } } },
        ['cutover:api.probes.readiness.path: got "ready", expected a path that begins with "/"'],
    ],
    [
        "a liveness probe that must succeed twice",
        { api: { probes: { liveness: { successThreshold: 2 } } } },
        [
            "cutover:api.probes.liveness.successThreshold: got 2, expected 1: Kubernetes allows more for readiness alone",
        ],
    ],
    [
        "less memory at most than asked for",
        { api: { resources: { requests: { memory: "256Mi" }, limits: { memory: "128Mi" } } } },
        [
            'cutover:api.resources.requests.memory: got "256Mi", expected at most the limit of memory (128Mi)',
        ],
    ],
];

/** Name, what the stack runs with, what it is to become, and the lines of the error. */
const transitions: [string, Changes, Changes, string[]][] = [
    [
        "another name",
        {},
        { name: "shop" },
        [
            'cutover:name: got "shop", expected "flask-api", which this stack runs with, as it is part of every selector; for a new name, bring up a second stack, move the clients to it and destroy this one',
            'cutover:serviceName: got "shop", expected "flask-api", which this stack runs with, as its clients would lose it; for a second name, point a Service of type ExternalName at this one',
        ],
    ],
    [
        "another namespace",
        {},
        { namespace: "elsewhere" },
        [
            'cutover:namespace: got "elsewhere", expected "endpoint-stats", which this stack runs with, as everything would be deleted and created anew; to move, bring up a second stack in the new namespace, move the clients to it and destroy this one',
        ],
    ],
    [
        "another name of the public Service",
        { serviceName: "flask-api-bg" },
        { serviceName: "flask-api" },
        [
            'cutover:serviceName: got "flask-api", expected "flask-api-bg", which this stack runs with, as its clients would lose it; for a second name, point a Service of type ExternalName at this one',
        ],
    ],
    [
        "another port",
        {},
        { api: { port: 8000 }, servicePort: 9999 },
        [
            "cutover:api.port: got 8000, expected 9999, which this stack runs with, as the Service and the pods would disagree while they roll; for a new port, bring up a second stack, move the clients to it and destroy this one",
        ],
    ],
    [
        "another port of the public Service",
        {},
        { servicePort: 80 },
        [
            "cutover:servicePort: got 80, expected 9999, which this stack runs with, as its clients would lose it; for a second port, add a Service of your own in front of the same pods",
        ],
    ],
    [
        "strategy and routing at once",
        {},
        { strategy: "canary", routing: "nginx" },
        [
            'cutover:routing: got "nginx", expected "service", which this stack runs with, until strategy has changed: one of strategy, routing, isolation at a time, each with an update of its own',
        ],
    ],
    [
        "routing and isolation at once",
        {},
        { routing: "nginx", isolation: "namespaces" },
        [
            'cutover:isolation: got "namespaces", expected "shared", which this stack runs with, until routing has changed: one of strategy, routing, isolation at a time, each with an update of its own',
        ],
    ],
    [
        "from namespaces of their own to a canary, which has to begin with the namespaces",
        { routing: "nginx", isolation: "namespaces" },
        { strategy: "canary" },
        [
            'cutover:strategy: got "canary", expected "blueGreen", which this stack runs with, until isolation has changed: one of strategy, routing, isolation at a time, each with an update of its own',
            'cutover:routing: got "service", expected "nginx", which this stack runs with, until isolation has changed: one of strategy, routing, isolation at a time, each with an update of its own',
        ],
    ],
    [
        "from a Gateway back to the Service",
        { routing: "gateway", gateway: { parent: { name: "edge" } } },
        {},
        [
            'cutover:routing: got "service", expected "gateway", which this stack runs with, as its HTTPRoute would go while clients still come through the Gateway; move them to the public Service, destroy this stack and bring it up without the Gateway',
        ],
    ],
    [
        "from nginx to a Gateway",
        { routing: "nginx" },
        { routing: "gateway", gateway: { parent: { name: "edge" } } },
        [
            'cutover:routing: got "gateway", expected "nginx", which this stack runs with, as that change was never tried; change routing to "service" first, then to "gateway"',
        ],
    ],
    [
        "other namespaces behind a Gateway",
        { routing: "gateway", gateway: { parent: { name: "edge" } } },
        { routing: "gateway", gateway: { parent: { name: "edge" } }, isolation: "namespaces" },
        [
            'cutover:isolation: got "namespaces", expected "shared", which this stack runs with, as that change was never tried with a Gateway; bring up a second stack with the other isolation and move the clients to it',
        ],
    ],
    [
        "two fixed things and a choice at once",
        {},
        { name: "shop", namespace: "elsewhere", strategy: "rolling" },
        [
            'cutover:name: got "shop", expected "flask-api", which this stack runs with, as it is part of every selector; for a new name, bring up a second stack, move the clients to it and destroy this one',
            'cutover:namespace: got "elsewhere", expected "endpoint-stats", which this stack runs with, as everything would be deleted and created anew; to move, bring up a second stack in the new namespace, move the clients to it and destroy this one',
            'cutover:serviceName: got "shop", expected "flask-api", which this stack runs with, as its clients would lose it; for a second name, point a Service of type ExternalName at this one',
        ],
    ],
];

/** As the CLI hands a stack config to the program: every value a text. */
function textsOf(changes: Changes): Record<string, string> {
    const texts = Object.entries({ ...good, ...changes })
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [
            `cutover:${key}`,
            typeof value === "string" ? value : JSON.stringify(value),
        ]);
    return { "kubernetes:context": "cutover-sandbox", ...Object.fromEntries(texts) };
}

function refuses(work: () => void, lines: readonly string[]): void {
    const count = lines.length === 1 ? "a problem" : `${lines.length} problems`;
    assert.throws(work, (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.message, `the stack config has ${count}:\n  ${lines.join("\n  ")}`);
        return true;
    });
}

describe("invalid stack configs", () => {
    for (const strategy of ["rolling", "blueGreen", "canary"]) {
        it(`are told from a good one: ${strategy}`, () => {
            parseSettings(textsOf({ strategy }));
        });
    }

    for (const [name, changes, lines] of cases) {
        it(`refuse ${name}`, () => refuses(() => parseSettings(textsOf(changes)), lines));
    }
});

describe("a running stack", () => {
    for (const [name, before, after, lines] of transitions) {
        it(`refuses ${name}`, () => {
            const running = plan(undefined, desiredOf(parseSettings(textsOf(before)))).state;
            const wanted = parseSettings(textsOf(after));
            refuses(() => refuseTransition(running, wanted), lines);
        });
    }
});
