-- The texts of a page of an app's feedback, where there are some that are not older than they may be.
SELECT event_id, draft_text, final_text
FROM feedback FINAL
WHERE tenant = {tenant:String}
    AND event_id >= {page_from:UInt128} AND event_id <= {page_to:UInt128}
    AND received_at >= {texts_since:DateTime64(3, 'UTC')}
    AND app = {app:String}
    AND kind IN {kinds:Array(String)}
    AND (draft_text IS NOT NULL OR final_text IS NOT NULL)
