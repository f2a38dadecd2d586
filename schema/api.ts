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

const requirement = z.strictObject({
    key: z.string(),
    operator: z.string(),
    values: z.array(z.string()).optional(),
});

/** Stack config key `api`: what all releases share. */
export const api = z.strictObject({
    port: z.number().optional(),
    probes: z
        .strictObject({
            startup: probe.optional(),
            readiness: probe.optional(),
            liveness: probe.optional(),
        })
        .optional(),
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
    nodeSelector: strings.optional(),
    nodeAffinity: z
        .strictObject({
            required: z.array(requirement).optional(),
            preferred: z
                .array(z.strictObject({ weight: z.number(), requirements: z.array(requirement) }))
                .optional(),
        })
        .optional(),
    tolerations: z
        .array(
            z.strictObject({
                key: z.string().optional(),
                operator: z.string().optional(),
                value: z.string().optional(),
                effect: z.string().optional(),
                tolerationSeconds: z.number().optional(),
            }),
        )
        .optional(),
    priorityClassName: z.string().optional(),
    minReadySeconds: z.number().optional(),
    revisionHistoryLimit: z.number().optional(),
});
