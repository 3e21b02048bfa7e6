/** `/_matrix/client/v3/user/{userId}/filter`: filters are kept, and filter nothing, for there are no rooms. */
import { encodeJson, jsonTextOf } from '../../../wire/json.js';
import { authenticated, stable } from '../../endpoint.js';
import { notFound } from '../../refusal.js';
import { refuseOthers } from './own-user.js';

/** Takes a filter, gives `{"filter_id"}`. @see Client-Server API v1.19, "Filtering" */
export const addFilter = authenticated('POST', stable('/user/:userId/filter'), async (home, call, caller) => {
  refuseOthers(call, caller);
  return jsonTextOf({ filter_id: await home.store.addFilter(caller.userId, encodeJson(call.body())) });
});

/** Gives the filter back as it came. */
export const readFilter = authenticated(
  'GET',
  stable('/user/:userId/filter/:filterId'),
  async (home, call, caller) => {
    refuseOthers(call, caller);
    const filter = await home.store.filter(caller.userId, call.param('filterId'));
    if (filter === undefined) throw notFound('there is no such filter');
    return filter;
  },
);
