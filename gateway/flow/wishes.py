"""What is done, in its message's transaction, for a handset that wishes to hear no more, or to hear again."""

from collections.abc import Mapping

from gateway.domain.inbound import Wish
from gateway.store import numbers
from gateway.store.inbound import Obey

OBEY: Mapping[Wish, Obey] = {Wish.OPT_OUT: numbers.opt_out, Wish.OPT_IN: numbers.opt_in}
