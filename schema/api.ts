import { z } from "zod";
import { resources, strings } from "./common";

const probe = z.strictObject({
    path: z.string().optional(),
    initialDelaySeconds: z.number().optional(),
    periodSeconds: z.number().optional(),
    timeoutSeconds: z.number().optional(),
    successThreshold: z.number().optional(),
    failureThreshold: z.number().optional(),
});

/** Stack config key `api`: what all releases share. */
export const api = z.strictObject({
    port: z.number().optional(),
    probes: z.strictObject({ readiness: probe.optional(), liveness: probe.optional() }).optional(),
    resources: resources.optional(),
    lifecycle: z
        .strictObject({
            preStopSleepSeconds: z.number().optional(),
            terminationGracePeriodSeconds: z.number().optional(),
        })
        .optional(),
    maxConnectionAgeSeconds: z.number().optional(),
    env: strings.optional(),
    labels: strings.optional(),
    annotations: strings.optional(),
    imagePullSecrets: z.array(z.string()).optional(),
});
