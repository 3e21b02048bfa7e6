/** `PUT /_matrix/federation/v1/send/{txnId}` */
import { NOT_EMPTY, open } from '../../endpoint.js';
import { receiveTransaction } from '../../reception.js';

/**
 * Takes a transaction, and gives `{"pdus":{}}`. Whether it is for us, makes sense, and was signed by the server that
 * it is of is judged before anything else is done with it.
 *
 * @see Server-Server API v1.19, "Transactions"
 */
export const sendTransaction = open(
  'PUT',
  [`/_matrix/federation/v1/send/:txnId${NOT_EMPTY}`],
  async (home, call) => {
    const { origin, transaction } = await home.federation.verifyTransaction(call.incoming());
    return receiveTransaction(home, origin, call.param('txnId'), transaction);
  },
);
