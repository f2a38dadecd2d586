import { Idle, Isolation, Routing, ServiceType, Strategy } from "../plan/types";
import { gatewayRules } from "../gateway/rules";
import type { GatewaySettings } from "../gateway/settings";
import { routerRules } from "../router/rules";
import type { RouterSettings } from "../router/settings";
import { choiceRules } from "./choice-rules";
import { wholeNumber, wholeNumberBetween } from "./numbers";
import { rollingUpdateRules } from "./rolling-update-rules";
import { sideRules, weightRules } from "./side-rules";
import { oneOf, pathOf, show, type Violation } from "./violation";

/**
 * What an API must be given, beyond the types. A property that is `undefined` is one that
 * its own type was wrong for and that has been complained about already: rules about it are silent.
 */
export interface Checked {
    name?: string;
    namespace?: string;
    serviceName?: string;
    serviceType?: string;
    nodePort?: number;
    strategy?: string;
    routing?: string;
    isolation?: string;
    releases?: Record<string, CheckedRelease>;
    blue?: string;
    green?: string;
    stable?: string;
    canary?: string;
    current?: string;
    activeColor?: string;
    canaryWeight?: number;
    replicas?: number;
    idle?: string | number;
    autoscaling?: CheckedAutoscaling;
    capacityFloor?: number;
    rollingUpdate?: { maxSurge?: string; maxUnavailable?: string };
    servicePort?: number;
    router?: RouterSettings;
    gateway?: GatewaySettings;
    gateDeadlineSeconds?: number;
}

export interface CheckedRelease {
    image: string;
    env?: Record<string, unknown>;
    files?: Record<string, unknown>;
    secrets?: Record<string, unknown>;
}

export interface CheckedAutoscaling {
    minReplicas?: number;
    maxReplicas?: number;
    cpuPercent?: number;
    memoryPercent?: number;
}

/** Longest name of an API: it must leave room for `-green-hpa` inside a label's 63 characters. */
const NAME_CHARACTERS = 50;

/** Every violation of the rules, in the order in which the properties are documented. */
export function rules(input: Checked): Violation[] {
    return [
        ...nameRules(input),
        ...choiceRules(input),
        ...releaseRules(input.releases ?? {}),
        ...sideRules(input),
        ...weightRules(input),
        ...sizeRules(input),
        ...rollingUpdateRules(input),
        ...exposureRules(input),
        ...routerSettingsRules(input),
        ...gatewaySettingsRules(input),
        ...gateRules(input),
    ];
}

function nameRules(input: Checked): Violation[] {
    const label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
    const limits = {
        name: NAME_CHARACTERS,
        namespace: input.isolation === Isolation.namespaces ? 63 - "-green".length : 63,
        serviceName: 63 - "-preview".length,
    };
    return (["name", "namespace", "serviceName"] as const).flatMap((path) => {
        const value = input[path];
        const limit = limits[path];
        if (value === undefined || (label.test(value) && value.length <= limit)) return [];
        const expected = `at most ${limit} lower-case letters, digits and "-", starting with a letter`;
        return [{ path, got: show(value), expected }];
    });
}

function releaseRules(releases: Record<string, CheckedRelease>): Violation[] {
    return Object.entries(releases).flatMap(([name, release]) => {
        const path = pathOf(["releases", name]);
        return [
            ...releaseName(path, name),
            ...image(`${path}.image`, release.image),
            ...keys(path, "env", release.env, /^[A-Za-z_][A-Za-z0-9_]*$/, "a name like LOG_LEVEL"),
            ...keys(path, "files", release.files, /^[-._a-zA-Z0-9]{1,253}$/, "a plain file name"),
            ...keys(
                path,
                "secrets",
                release.secrets,
                /^[-._a-zA-Z0-9]{1,253}$/,
                "a plain file name",
            ),
        ];
    });
}

/** A release's name becomes a label value and part of object names. */
function releaseName(path: string, name: string): Violation[] {
    if (/^[a-z0-9]([-.a-z0-9]{0,38}[a-z0-9])?$/.test(name)) return [];
    const expected = `a release name of at most 40 lower-case letters, digits, "-" and ".", like "1.0.0"`;
    return [{ path, got: show(name), expected }];
}

/** A tag that moves would give two releases the same name, and a rollback nothing to go back to. */
function image(path: string, value: string): Violation[] {
    const [reference = "", digest] = value.split("@");
    const tag = /:([^/:]+)$/.exec(reference)?.[1];
    const wellFormed = /^[^\s@]+$/.test(reference) && value.split("@").length <= 2;
    if (wellFormed && digest !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest)) return [];
    if (wellFormed && digest === undefined && tag !== undefined && tag !== "latest") return [];
    const expected = `an image with a digest (name@sha256:…) or a tag that never moves (name:1.0.0)`;
    return [{ path, got: show(value), expected }];
}

function keys(
    parent: string,
    property: string,
    map: Record<string, unknown> | undefined,
    allowed: RegExp,
    expected: string,
): Violation[] {
    return Object.keys(map ?? {})
        .filter((key) => !allowed.test(key) || key === "." || key === "..")
        .map((key) => ({ path: `${parent}.${property}`, got: `the key ${show(key)}`, expected }));
}

function sizeRules(input: Checked): Violation[] {
    const { replicas, capacityFloor, idle, autoscaling } = input;
    const live = "(the live side must never be at zero)";
    const counted = input.strategy === Strategy.canary && input.routing === Routing.service;
    const pair = `(strategy "canary" with routing "service" splits them between two sides)`;
    return [
        ...(counted
            ? wholeNumber("replicas", replicas, 2, pair)
            : wholeNumber("replicas", replicas, 1, live)),
        ...(counted ? countedRules(input) : []),
        ...wholeNumber("capacityFloor", capacityFloor, 1, live),
        ...(typeof idle === "number" ? wholeNumber("idle", idle, 0) : []),
        ...(typeof idle === "string" && idle !== Idle.warm && idle !== Idle.cold
            ? [
                  {
                      path: "idle",
                      got: show(idle),
                      expected: `"warm", "cold" or a whole number of pods`,
                  },
              ]
            : []),
        ...(autoscaling === undefined ? [] : autoscalingRules(autoscaling, input)),
    ];
}

/** Where numbers of pods are the split, nothing else may change them. */
function countedRules(input: Checked): Violation[] {
    const why = `with strategy "canary" and routing "service", where the numbers of pods are the split; routing "nginx" and "gateway" leave them free`;
    return (["autoscaling", "capacityFloor"] as const)
        .filter((path) => input[path] !== undefined)
        .map((path) => ({ path, got: show(input[path]), expected: `nothing ${why}` }));
}

function autoscalingRules(autoscaling: CheckedAutoscaling, input: Checked): Violation[] {
    const { minReplicas, maxReplicas, cpuPercent, memoryPercent } = autoscaling;
    const { idle, capacityFloor } = input;
    const found = [
        ...wholeNumber("autoscaling.minReplicas", minReplicas, 1, "(an autoscaler at 0 is off)"),
        ...wholeNumber("autoscaling.maxReplicas", maxReplicas, 1),
        ...wholeNumber("autoscaling.cpuPercent", cpuPercent, 1),
        ...wholeNumber("autoscaling.memoryPercent", memoryPercent, 1),
    ];
    if (minReplicas !== undefined && maxReplicas !== undefined && minReplicas > maxReplicas) {
        const expected = `at least autoscaling.minReplicas (${minReplicas})`;
        found.push({ path: "autoscaling.maxReplicas", got: show(maxReplicas), expected });
    }
    if (idle === Idle.cold || idle === 0) {
        const expected = `"warm" or a number of at least 1 together with autoscaling: a Deployment at zero switches its autoscaler off, and it would stay at zero when it goes live`;
        found.push({ path: "idle", got: show(idle), expected });
    }
    if (capacityFloor !== undefined && maxReplicas !== undefined && capacityFloor > maxReplicas) {
        const expected = `at most autoscaling.maxReplicas (${maxReplicas})`;
        found.push({ path: "capacityFloor", got: show(capacityFloor), expected });
    }
    return found;
}

/** The settings of a router are looked at even where there is none: they are there for a change of routing. */
function routerSettingsRules({ router, serviceType }: Checked): Violation[] {
    return router === undefined ? [] : routerRules(router, { serviceType });
}

function gatewaySettingsRules({ routing, gateway }: Checked): Violation[] {
    if (gateway !== undefined) return gatewayRules(gateway);
    if (routing !== Routing.gateway) return [];
    const expected = `the Gateway that the route belongs to, as routing is "gateway": {"parent": {"name": …}}`;
    return [{ path: "gateway", got: undefined, expected }];
}

function gateRules({ gateDeadlineSeconds }: Checked): Violation[] {
    return wholeNumberBetween("gateDeadlineSeconds", gateDeadlineSeconds, 10, 3600);
}

function exposureRules(input: Checked): Violation[] {
    return [
        ...wholeNumberBetween("servicePort", input.servicePort, 1, 65535),
        ...serviceTypeRules(input),
    ];
}

function serviceTypeRules({ serviceType, nodePort }: Checked): Violation[] {
    const types: readonly string[] = Object.values(ServiceType);
    if (serviceType !== undefined && !types.includes(serviceType)) {
        return [{ path: "serviceType", got: show(serviceType), expected: oneOf(types) }];
    }
    if (nodePort === undefined) return [];
    if (serviceType === ServiceType.clusterIP) {
        const expected = `no nodePort with serviceType "ClusterIP", or serviceType "NodePort"`;
        return [{ path: "nodePort", got: show(nodePort), expected }];
    }
    if (Number.isInteger(nodePort) && nodePort >= 1 && nodePort <= 65535) return [];
    return [{ path: "nodePort", got: show(nodePort), expected: "a port from 1 to 65535" }];
}
