import * as pulumi from "@pulumi/pulumi";
import type { ReleaseArgs, ResourcesArgs } from "cutover";

/** One weight of the stepped canary, and how long to watch it before the next. */
export interface Step {
    /** Percent, 1 to 99. */
    setWeight: number;
    /** A duration, `10m`. */
    pause: string;
}

/** The stack config. Whatever the components check themselves is not checked here. */
export interface Settings {
    /** The kubeconfig context to write to. */
    context: string;
    namespace: string;
    /** Where the images of nginx and Postgres come from. */
    registry: string;
    strategy: "blueGreen" | "canary";
    releases: Record<string, ReleaseArgs>;
    nodePort?: number;
    /** Requests and limits of every container. */
    resources?: ResourcesArgs;
    blue?: string;
    green?: string;
    activeColor?: string;
    stable?: string;
    canary?: string;
    steps: Step[];
    /** The weight of the present step; 0 before the first. */
    canaryWeight: number;
}

/** @throws RunError naming the key, what it got and what belongs there */
export function readSettings(project: string): Settings {
    const config = new pulumi.Config(project);
    const strategy = config.require("strategy");
    if (strategy !== "blueGreen" && strategy !== "canary") {
        throw wrong(project, "strategy", strategy, '"blueGreen" or "canary"');
    }
    const steps = config.getObject<Step[]>("steps") ?? [];
    const step = config.getNumber("step") ?? 0;
    if (!Number.isInteger(step) || step < 0 || step > steps.length) {
        throw wrong(project, "step", step, `0 to ${steps.length}, the number of steps`);
    }
    return {
        context: new pulumi.Config("kubernetes").require("context"),
        namespace: config.get("namespace") ?? "ecommerce",
        registry: config.require("registry"),
        strategy,
        releases: config.requireObject("releases"),
        nodePort: config.getNumber("nodePort"),
        resources: config.getObject("resources"),
        blue: config.get("blue"),
        green: config.get("green"),
        activeColor: config.get("activeColor"),
        stable: config.get("stable"),
        canary: config.get("canary"),
        steps,
        canaryWeight: steps[step - 1]?.setWeight ?? 0,
    };
}

function wrong(project: string, key: string, got: unknown, expected: string): pulumi.RunError {
    return new pulumi.RunError(
        `${project}:${key}: got ${JSON.stringify(got)}, expected ${expected}`,
    );
}
