import type { KubeObject } from "../objects";
import { podState, shortName } from "./pod-state";
import { ObjectReadiness } from "./readiness";

/** A pod of its own: ready, or run to its end. */
export class PodReadiness extends ObjectReadiness {
    ready(): boolean {
        return podState(this.object).ready;
    }

    progress(): string {
        return `Waiting for Pod "${shortName(this.object)}" to be ${podState(this.object).waitingFor}`;
    }

    override reasons(): string[] {
        return this.warnings();
    }

    override unreadyPods(): KubeObject[] {
        return this.ready() ? [] : [this.object];
    }
}
