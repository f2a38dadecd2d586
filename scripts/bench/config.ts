/** Config of every bench stack: pods as small as they can be, for they share the node with others. */
export const SMALL: Record<string, string> = {
    "cutover:replicas": "2",
    "cutover:api.resources.requests.cpu": "25m",
    "cutover:api.resources.requests.memory": "64Mi",
};
