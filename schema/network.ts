import { z } from "zod";
import { strings } from "./common";

const peer = {
    namespaceSelector: strings.optional(),
    podSelector: strings.optional(),
    cidr: z.string().optional(),
    except: z.array(z.string()).optional(),
};

const port = z.strictObject({
    port: z.number(),
    endPort: z.number().optional(),
    protocol: z.string().optional(),
});

/** Stack config key `network`: who may reach the API, and whom it may reach. */
export const network = z.strictObject({
    ingress: z.array(z.strictObject(peer)).optional(),
    metrics: z.array(z.strictObject(peer)).optional(),
    egress: z.array(z.strictObject({ ...peer, ports: z.array(port).optional() })).optional(),
});
