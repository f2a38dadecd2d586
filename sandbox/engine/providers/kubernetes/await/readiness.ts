import type { Inputs } from "../../types";
import type { WatchEvent } from "../client";
import type { KubeObject } from "../objects";
import { podProblems } from "./pod-state";

/** What a readiness rule has to see: one object by name, or a set by labels. */
export interface Target {
    apiVersion: string;
    kind: string;
    name?: string;
    labelSelector?: string;
}

/**
 * The rule by which one object counts as ready: it is fed events and answers questions, without
 * any I/O, so that it can be tested against recorded states.
 */
export interface Readiness {
    readonly targets: Target[];
    /** The newest version of the awaited object. */
    readonly object: KubeObject;
    /** How long to wait unless the program says otherwise, in seconds. */
    readonly defaultTimeoutSeconds: number;
    observe(target: Target, event: WatchEvent): void;
    /** The watch of `target` starts anew: forget what only it has told. */
    reset(target: Target): void;
    /** @throws {ReadinessFailure} when it can no longer become ready */
    ready(): boolean;
    /** Why it is not ready, most important first; empty if nothing is known. */
    reasons(): string[];
    /** A line for the user while waiting. */
    progress(): string;
    /** Warnings worth showing before the timeout, such as pods that cannot start. */
    warnings(): string[];
    /** Its pods that are not ready, whose events may tell more. */
    unreadyPods(): KubeObject[];
    /** Called once when waiting starts: `later` runs its argument after so many milliseconds. */
    start?(later: (ms: number, run: () => void) => void): void;
    /** For a look at one moment: whatever the rule lets settle counts as settled. */
    settle?(): void;
    /** The timeout has come: true if what there is will do. */
    acceptAtTimeout?(): boolean;
}

/** The object will never become ready: no use waiting any longer. */
export class ReadinessFailure extends Error {
    override readonly name = "ReadinessFailure";
}

export const DEFAULT_TIMEOUT_SECONDS = 600;

/** What all rules about one awaited object share: its newest version. */
export abstract class ObjectReadiness implements Readiness {
    readonly defaultTimeoutSeconds: number = DEFAULT_TIMEOUT_SECONDS;
    readonly targets: Target[];
    protected deleted = false;

    constructor(public object: KubeObject) {
        const { apiVersion, kind, metadata } = object as {
            apiVersion: string;
            kind: string;
            metadata: { name: string };
        };
        this.targets = [{ apiVersion, kind, name: metadata.name }];
    }

    protected get own(): Target | undefined {
        return this.targets[0];
    }

    observe(target: Target, event: WatchEvent): void {
        if (target !== this.own) return;
        this.deleted = event.type === "DELETED";
        if (!this.deleted) this.object = event.object;
    }

    reset(_target: Target): void {
        // The next event brings the newest version.
    }

    abstract ready(): boolean;
    abstract progress(): string;

    reasons(): string[] {
        return [];
    }

    warnings(): string[] {
        return podProblems(this.unreadyPods());
    }

    unreadyPods(): KubeObject[] {
        return [];
    }
}

/** Objects of a watched set by name, as far as they are alive. */
export class ObjectSet {
    private readonly objects = new Map<string, KubeObject>();

    apply(event: WatchEvent): void {
        const name = (event.object.metadata as Inputs).name as string;
        if (event.type === "DELETED") this.objects.delete(name);
        else this.objects.set(name, event.object);
    }

    clear(): void {
        this.objects.clear();
    }

    all(): KubeObject[] {
        return [...this.objects.values()];
    }
}
