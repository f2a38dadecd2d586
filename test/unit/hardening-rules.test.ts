import assert from "node:assert/strict";
import { output } from "@pulumi/pulumi";
import type { NetworkArgs } from "../../components";
import { apiRules, type CheckedApi } from "../../components/validation/api-rules";
import { networkRules } from "../../components/validation/network-rules";
import { describe as line } from "../../components/validation/violation";

const long = "x".repeat(64);

const api: [string, CheckedApi, string[]][] = [
    [
        "a probe of nonsense",
        {
            probes: {
                startup: { successThreshold: 2, failureThreshold: 0 },
                readiness: { path: "ready", periodSeconds: 0, successThreshold: 2 },
                liveness: { successThreshold: 3, initialDelaySeconds: -1, timeoutSeconds: 1.5 },
            },
        },
        [
            "api.probes.startup.failureThreshold: got 0, expected a whole number of at least 1",
            "api.probes.startup.successThreshold: got 2, expected 1: Kubernetes allows more for readiness alone",
            'api.probes.readiness.path: got "ready", expected a path that begins with "/"',
            "api.probes.readiness.periodSeconds: got 0, expected a whole number of at least 1",
            "api.probes.liveness.initialDelaySeconds: got -1, expected a whole number of at least 0",
            "api.probes.liveness.timeoutSeconds: got 1.5, expected a whole number of at least 1",
            "api.probes.liveness.successThreshold: got 3, expected 1: Kubernetes allows more for readiness alone",
        ],
    ],
    [
        "quantities that are none",
        { resources: { requests: { memory: "128MB" }, limits: { cpu: "1 core" } } },
        [
            'api.resources.requests.memory: got "128MB", expected a quantity like "250m", "1", "128Mi" or "1Gi"',
            'api.resources.limits.cpu: got "1 core", expected a quantity like "250m", "1", "128Mi" or "1Gi"',
        ],
    ],
    [
        "a request above its limit, also where one of them is the default",
        { resources: { limits: { memory: "0.1Gi", cpu: "0.1", "ephemeral-storage": "63Mi" } } },
        [
            'api.resources.requests.memory: got "128Mi", expected at most the limit of memory (0.1Gi)',
            'api.resources.requests.ephemeral-storage: got "64Mi", expected at most the limit of ephemeral-storage (63Mi)',
        ],
    ],
    [
        "names that Kubernetes does not take",
        {
            env: { "LOG-LEVEL": "secret-value" },
            labels: { "-team": "a", team: long },
            annotations: { "a/b/c": "anything at all" },
            imagePullSecrets: ["regcred", "Reg Cred"],
            priorityClassName: "High",
        },
        [
            'api.env: got the key "LOG-LEVEL", expected a name like LOG_LEVEL',
            'api.labels: got the key "-team", expected a key like "team" or "example.com/team"',
            `api.labels.team: got "${long}", expected at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit`,
            'api.annotations: got the key "a/b/c", expected a key like "team" or "example.com/team"',
            'api.imagePullSecrets[1]: got "Reg Cred", expected the name of a Secret: lower-case letters, digits, "-" and "."',
            'api.priorityClassName: got "High", expected the name of a PriorityClass: lower-case letters, digits, "-" and "."',
        ],
    ],
    [
        "nodes that cannot be",
        {
            nodeAffinity: {
                required: [
                    { key: "disk", operator: "in", values: ["ssd"] },
                    { key: "disk", operator: "In" },
                    { key: "cpus", operator: "Gt", values: ["four"] },
                    { key: "spot", operator: "Exists", values: ["true"] },
                ],
                preferred: [{ weight: 0, requirements: [] }],
            },
        },
        [
            'api.nodeAffinity.required[0].operator: got "in", expected "In", "NotIn", "Exists", "DoesNotExist", "Gt" or "Lt"',
            "api.nodeAffinity.required[1].values: got [], expected at least one value with operator In",
            'api.nodeAffinity.required[2].values: got ["four"], expected one whole number, as text, with operator Gt',
            'api.nodeAffinity.required[3].values: got ["true"], expected no values with operator Exists',
            "api.nodeAffinity.preferred[0].weight: got 0, expected a whole number from 1 to 100",
            "api.nodeAffinity.preferred[0].requirements: got [], expected at least one condition",
        ],
    ],
    [
        "tolerations of nothing",
        {
            tolerations: [
                { value: "batch" },
                { key: "a", operator: "Like" },
                { key: "a", operator: "Exists", value: "b" },
                { key: "a", value: "b", effect: "Never", tolerationSeconds: -1 },
            ],
        },
        [
            'api.tolerations[0].key: missing, expected the key of a taint, or operator "Exists" for every taint',
            'api.tolerations[1].operator: got "Like", expected "Equal" or "Exists"',
            'api.tolerations[2].value: got "b", expected no value with operator "Exists"',
            'api.tolerations[3].effect: got "Never", expected "NoSchedule", "PreferNoSchedule" or "NoExecute"',
            'api.tolerations[3].tolerationSeconds: got -1, expected none without effect "NoExecute"',
            "api.tolerations[3].tolerationSeconds: got -1, expected a whole number of at least 0",
        ],
    ],
    [
        "a rollout that could never be done",
        { minReadySeconds: 120, revisionHistoryLimit: -1 },
        [
            "api.minReadySeconds: got 120, expected a whole number from 0 to 119",
            "api.revisionHistoryLimit: got -1, expected a whole number of at least 0",
        ],
    ],
    [
        "nothing wrong, some of it not known yet",
        {
            probes: { liveness: { initialDelaySeconds: output(-1), path: output("x") } },
            resources: { requests: { cpu: output("much") }, limits: { memory: "1.5Gi" } },
            labels: { "example.com/team": "core", empty: "" },
            annotations: { "example.com/Owner": "me @ home" },
            imagePullSecrets: [output("no name")],
            nodeSelector: { "kubernetes.io/arch": "amd64" },
            tolerations: [{ operator: "Exists" }, { key: "a", value: "b", effect: "NoExecute" }],
            minReadySeconds: 119,
        },
        [],
    ],
];

const network: [string, NetworkArgs, string[]][] = [
    [
        "peers that are nobody or two at once",
        { ingress: [{}], egress: [{ cidr: "10.0.0.0/8", podSelector: {} }] },
        [
            "network.ingress[0]: got {}, expected either labels (namespaceSelector, podSelector) or addresses (cidr)",
            'network.egress[0]: got {"cidr":"10.0.0.0/8","podSelector":{}}, expected either labels (namespaceSelector, podSelector) or addresses (cidr)',
        ],
    ],
    [
        "networks that are none, or do not lie in each other",
        {
            egress: [
                { cidr: "10.0.0.1" },
                { cidr: "10.0.0.0/33" },
                { cidr: "db.example.com/32" },
                { cidr: "10.0.0.0/8", except: ["10.1.0.0/16", "11.0.0.0/16", "10.0.0.0/8"] },
                { cidr: "2001:db8::/32", except: ["2001:db8:1::/48", "10.0.0.0/16"] },
                { podSelector: {}, except: ["10.0.0.0/16"] },
            ],
        },
        [
            'network.egress[0].cidr: got "10.0.0.1", expected a network like "10.0.0.0/8"',
            'network.egress[1].cidr: got "10.0.0.0/33", expected a network like "10.0.0.0/8"',
            'network.egress[2].cidr: got "db.example.com/32", expected a network like "10.0.0.0/8"',
            'network.egress[3].except[1]: got "11.0.0.0/16", expected a smaller network inside 10.0.0.0/8',
            'network.egress[3].except[2]: got "10.0.0.0/8", expected a smaller network inside 10.0.0.0/8',
            'network.egress[4].except[1]: got "10.0.0.0/16", expected a smaller network inside 2001:db8::/32',
            'network.egress[5].except: got ["10.0.0.0/16"], expected none without cidr',
        ],
    ],
    [
        "ports that are none",
        { egress: [{ podSelector: {}, ports: [{ port: 0 }, { port: 90, endPort: 80 }] }] },
        [
            "network.egress[0].ports[0].port: got 0, expected a whole number from 1 to 65535",
            "network.egress[0].ports[1].endPort: got 80, expected a whole number from 90 to 65535",
        ],
    ],
    [
        "an unknown protocol and a label that is none",
        { egress: [{ podSelector: { "a b": "c" }, ports: [{ port: 1, protocol: "tcp" }] }] },
        [
            'network.egress[0].podSelector: got the key "a b", expected a key like "team" or "example.com/team"',
            'network.egress[0].ports[0].protocol: got "tcp", expected "TCP", "UDP" or "SCTP"',
        ],
    ],
    [
        "who may read the metrics where everyone may",
        { metrics: [{ podSelector: { app: "prometheus" } }] },
        [
            'network.metrics: got [{"podSelector":{"app":"prometheus"}}], expected none without network.ingress: everyone may reach the metrics then',
        ],
    ],
    [
        "nothing wrong",
        {
            ingress: [{ namespaceSelector: {} }, { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] }],
            metrics: [{ namespaceSelector: { team: "ops" }, podSelector: { app: "prometheus" } }],
            egress: [{ cidr: "0.0.0.0/0", ports: [{ port: 443 }, { port: 1, endPort: 2 }] }],
        },
        [],
    ],
];

describe("rules of an API's settings", () => {
    for (const [name, settings, expected] of api) {
        it(`list all of it: ${name}`, () => {
            assert.deepEqual(apiRules(settings).map(line), expected);
        });
    }
});

describe("rules of the network", () => {
    for (const [name, settings, expected] of network) {
        it(`list all of it: ${name}`, () => {
            assert.deepEqual(networkRules(settings).map(line), expected);
        });
    }
});
