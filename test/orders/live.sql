-- Every delivered line is returned a day after its delivery, in a return of its
-- own. Reasons, silent sellers and failed refunds alternate.

CREATE PROCEDURE act_as(actor text, at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('returns.actor', actor, false);
	PERFORM set_config('returns.clock', at::text, false);
END $$;

CREATE PROCEDURE pay(returned bigint, at timestamptz, fails boolean) LANGUAGE plpgsql AS $$
DECLARE
	r returns.refund;
BEGIN
	CALL act_as('operator:pay', at);
	PERFORM returns.claim_refunds(100);
	FOR r IN SELECT * FROM returns.refund WHERE return_id = returned ORDER BY id LOOP
		IF fails THEN
			UPDATE returns.refund SET status = 'failed', failure = 'declined' WHERE id = r.id;
			UPDATE returns.refund SET status = 'pending' WHERE id = r.id;
		END IF;
	END LOOP;
	PERFORM returns.claim_refunds(100);
	UPDATE returns.refund SET status = 'settled', provider_ref = 'R' || id WHERE return_id = returned;
END $$;

CREATE PROCEDURE live(line returns.sale_line, turn bigint) LANGUAGE plpgsql AS $$
DECLARE
	at timestamptz := line.delivered_at + interval '1 day';
	opened bigint;
BEGIN
	CALL act_as('buyer:' || line.buyer_ref, at);
	opened := returns.open_return(line.order_ref,
		jsonb_build_array(jsonb_build_object('line_no', line.line_no, 'quantity', line.quantity)),
		(ARRAY['changed_mind', 'defective', 'damaged_in_delivery'])[1 + turn % 3],
		idempotency_key => line.order_ref || '/' || line.line_no);
	IF turn % 5 = 0 THEN	-- the seller is silent
		CALL act_as('buyer:' || line.buyer_ref, at + interval '7 days');
		PERFORM returns.run_deadlines();
	ELSE
		CALL act_as('seller:' || line.seller_ref, at + interval '1 hour');
		PERFORM returns.act(opened, 'approved');
	END IF;
	CALL act_as('buyer:' || line.buyer_ref,
		at + CASE WHEN turn % 5 = 0 THEN interval '7 days 1 hour' ELSE interval '3 days' END);
	UPDATE returns.return_request SET status = 'in_transit', carrier = 'post', tracking_ref = 'T' || opened
	 WHERE id = opened;
	CALL act_as('carrier:post', at + interval '10 days');
	PERFORM returns.act(opened, 'received');
	CALL act_as('seller:' || line.seller_ref, at + interval '10 days 2 hours');
	PERFORM returns.act(opened, 'refund_due');
	CALL pay(opened, at + interval '10 days 3 hours', turn % 7 = 0);
END $$;

DO $$
DECLARE
	line returns.sale_line;
	turn bigint := 0;
BEGIN
	FOR line IN SELECT * FROM returns.sale_line WHERE delivered_at IS NOT NULL
				ORDER BY delivered_at, order_ref, line_no
	LOOP
		turn := turn + 1;
		CALL live(line, turn);
		COMMIT;
	END LOOP;
END $$;
