/** No connection was made, so nothing was sent: the codes of connect(2) and of a name look-up. */
const NOT_SENT = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'];

/** @param code of the transport's error @returns whether it is certain that the other side got nothing */
export const isNotSent = (code: string): boolean => NOT_SENT.includes(code);
